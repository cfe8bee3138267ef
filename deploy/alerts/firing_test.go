package alerts

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// example is a story and which alerts fire in which minutes: their names without the prefix, separated by commas, each with
// namespace/name, or cluster/namespace/name, unless it is about shop/helmfile-agent.
type example struct {
	story
	firing map[int]string
}

var severities = map[string]string{
	"RunFailed": "warning", "NoRecentSuccess": "critical", "ScheduleMissed": "warning", "RunStuck": "warning", "Flapping": "info",
	"Suspended": "info", "Missing": "warning", "ScheduleInvalid": "warning", "PodNotStarting": "warning", "OOMKilled": "warning",
}

// testFile is a file for `promtool test rules`.
type testFile struct {
	RuleFiles          []string   `json:"rule_files"`
	EvaluationInterval string     `json:"evaluation_interval"`
	Tests              []testCase `json:"tests"`
}

type testCase struct {
	Name        string      `json:"name"`
	Interval    string      `json:"interval"`
	InputSeries []input     `json:"input_series"`
	Queries     []query     `json:"promql_expr_test,omitempty"`
	Alerts      []alertTest `json:"alert_rule_test,omitempty"`
}

type query struct {
	Expr     string   `json:"expr"`
	EvalTime string   `json:"eval_time"`
	Samples  []sample `json:"exp_samples"`
}

type sample struct {
	Labels string  `json:"labels"`
	Value  float64 `json:"value"`
}

// TestAlertsFire asks for all alerts that fire, so each example is also one of those that must not.
func TestAlertsFire(t *testing.T) {
	for name, s := range map[string]scope{"for all agents": allAgents, "for one agent": oneAgent} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var hours, days []testCase
			for _, title := range slices.Sorted(maps.Keys(examples)) {
				if e := examples[title]; e.minutes < 24*60 {
					hours = append(hours, e.testCase(t, title, s))
				} else {
					days = append(days, e.testCase(t, title, s))
				}
			}
			testRules(t, everyMinute, hours, s)
			testRules(t, everyFiveMinutes, days, s)
		})
	}
}

// How often rules are evaluated. A story of days takes its time, so there it is seldom; its minutes are multiples of five.
const everyMinute, everyFiveMinutes = "1m", "5m"

// testRules has promtool test the rules, rendered once for each scope, as if Prometheus had loaded all of them.
func testRules(t *testing.T, every string, cases []testCase, scopes ...scope) {
	t.Helper()
	dir := t.TempDir()
	file := testFile{EvaluationInterval: every, Tests: cases}
	for i, s := range scopes {
		file.RuleFiles = append(file.RuleFiles, write(t, dir, fmt.Sprintf("rules%d.yaml", i), render(t, s)))
	}
	content, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, "test", "rules", write(t, dir, "test.yaml", string(content)))
}

// TestRulesOfTwoTenants loads what two installations of the chart bring: each is about its own agent, so every alert fires once.
func TestRulesOfTwoTenants(t *testing.T) {
	var cases []testCase
	for _, title := range []string{"two namespaces in which everything goes wrong", "two namespaces in which runs fail and succeed by turns"} {
		cases = append(cases, examples[title].testCase(t, title, allAgents))
	}
	testRules(t, everyMinute, cases, oneAgent, withDefaults("bank", "helmfile-agent"))
}

func (e example) testCase(t *testing.T, title string, s scope) testCase {
	made := testCase{Name: title, Interval: "1m", InputSeries: e.seen().inputs()}
	for _, minute := range slices.Sorted(maps.Keys(e.firing)) {
		if minute >= e.minutes {
			t.Fatalf("%s: minute %d is after the story", title, minute)
		}
		made.Queries = append(made.Queries, query{
			// Counted, so that what fires twice is 2.
			Expr:     `count by (alertname, severity, cluster, namespace, cronjob) (ALERTS{alertstate="firing"})`,
			EvalTime: fmt.Sprintf("%dm", minute),
			Samples:  expected(t, e.firing[minute], s),
		})
	}
	return made
}

// expected is the alerts as samples; where the rules are for one agent, nothing is expected about another.
func expected(t *testing.T, firing string, s scope) []sample {
	all := []sample{}
	for _, word := range strings.FieldsFunc(firing, func(r rune) bool { return r == ',' }) {
		name, about, _ := strings.Cut(strings.TrimSpace(word), " ")
		if severities[name] == "" {
			t.Fatalf("%s is no alert", name)
		}
		where := strings.Split("/"+about, "/")
		if about == "" {
			where = []string{"", "shop", "helmfile-agent"}
		}
		where = where[len(where)-3:]
		if s["__NAMESPACE__"] == "shop" && (where[1] != "shop" || where[2] != "helmfile-agent") {
			continue
		}
		labels := fmt.Sprintf("{alertname=%q,severity=%q,namespace=%q,cronjob=%q", "HelmfileAgent"+name, severities[name], where[1], where[2])
		if where[0] != "" {
			labels += fmt.Sprintf(",cluster=%q", where[0])
		}
		all = append(all, sample{labels + "}", 1})
	}
	return all
}

func TestEveryAlertIsExpectedByAnExample(t *testing.T) {
	for _, r := range parse(t, render(t, allAgents)) {
		name := strings.TrimPrefix(r.Alert, "HelmfileAgent")
		if r.Alert != "" && !slices.ContainsFunc(slices.Collect(maps.Values(examples)), func(e example) bool {
			return slices.ContainsFunc(slices.Collect(maps.Values(e.firing)), func(firing string) bool { return strings.Contains(firing, name) })
		}) {
			t.Errorf("no example in which %s fires", r.Alert)
		}
	}
}

// TestNothingIsRecordedAboutOthers looks at what the alerts' own matchers would hide.
func TestNothingIsRecordedAboutOthers(t *testing.T) {
	busy := one(60, succeed(15), fail(30))
	busy.agents = append(busy.agents, agent{namespace: "bank", runs: succeed(15)})
	shop, bank := sample{`{namespace="shop",cronjob="helmfile-agent"}`, 1}, sample{`{namespace="bank",cronjob="helmfile-agent"}`, 1}
	for name, c := range map[string]struct {
		scope scope
		want  []sample
	}{
		"for all agents": {allAgents, []sample{shop, bank}},
		"for one agent":  {oneAgent, []sample{shop}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := query{`group by (namespace, cronjob) ({__name__=~".+:helmfile_agent_.+"})`, "40m", c.want}
			testRules(t, everyMinute, []testCase{{Name: name, Interval: "1m", InputSeries: busy.seen().inputs(), Queries: []query{asked}}}, c.scope)
		})
	}
}
