package alerts

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// example is a story with the alerts that fire in some minutes. firing has their names without the prefix, separated by commas. An
// alert for another agent than shop/helmfile-agent is followed by namespace/name or cluster/namespace/name.
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

// TestAlertsFire compares all firing alerts. So each example also checks that no other alert fires.
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

// The interval in which promtool evaluates the rules. Stories of days use the longer one, because they would take too long; their
// minutes are multiples of five.
const everyMinute, everyFiveMinutes = "1m", "5m"

// testRules runs promtool with the rules, rendered once for each scope, as if Prometheus had loaded all of them.
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

// TestRulesOfTwoTenants loads the rules of two installations of the chart. Each covers only its own agent, so every alert fires once.
func TestRulesOfTwoTenants(t *testing.T) {
	var cases []testCase
	for _, title := range []string{"every alert in two namespaces", "flapping runs in two namespaces"} {
		cases = append(cases, examples[title].testCase(t, title, allAgents))
	}
	testRules(t, everyMinute, cases, oneAgent, withDefaults("bank", "helmfile-agent"))
}

func (e example) testCase(t *testing.T, title string, s scope) testCase {
	made := testCase{Name: title, Interval: "1m", InputSeries: e.series().inputs()}
	for _, minute := range slices.Sorted(maps.Keys(e.firing)) {
		if minute >= e.minutes {
			t.Fatalf("%s: minute %d is after the end of the story", title, minute)
		}
		made.Queries = append(made.Queries, query{
			// The count is 2 if an alert fires twice.
			Expr:     `count by (alertname, severity, cluster, namespace, cronjob) (ALERTS{alertstate="firing"})`,
			EvalTime: fmt.Sprintf("%dm", minute),
			Samples:  expected(t, e.firing[minute], s),
		})
	}
	return made
}

// expected returns the alerts as samples. If the rules are for one agent, it leaves out the alerts of other agents.
func expected(t *testing.T, firing string, s scope) []sample {
	all := []sample{}
	for _, word := range strings.FieldsFunc(firing, func(r rune) bool { return r == ',' }) {
		name, about, _ := strings.Cut(strings.TrimSpace(word), " ")
		if severities[name] == "" {
			t.Fatalf("%s is not an alert", name)
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

// TestNothingIsRecordedAboutOthers checks the recording rules, because the alerts have matchers of their own.
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
			recorded := query{`group by (namespace, cronjob) ({__name__=~".+:helmfile_agent_.+"})`, "40m", c.want}
			testRules(t, everyMinute, []testCase{{Name: name, Interval: "1m", InputSeries: busy.series().inputs(), Queries: []query{recorded}}}, c.scope)
		})
	}
}
