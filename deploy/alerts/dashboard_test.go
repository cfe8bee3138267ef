package alerts

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const dashboardFile = "../../chart/files/dashboard.json"

// known lists the series of kube-state-metrics that the dashboard and the rules may use. All of them are on by default. Only the
// reason why a container ended is experimental.
var known = []string{
	"kube_cronjob_created", "kube_cronjob_info", "kube_cronjob_next_schedule_time", "kube_cronjob_spec_suspend",
	"kube_cronjob_status_active", "kube_cronjob_status_last_schedule_time", "kube_cronjob_status_last_successful_time",
	"kube_job_failed", "kube_job_owner", "kube_job_spec_active_deadline_seconds", "kube_job_status_active",
	"kube_job_status_completion_time", "kube_job_status_start_time",
	"kube_namespace_created",
	"kube_pod_container_status_terminated_reason", "kube_pod_container_status_waiting_reason", "kube_pod_info", "kube_pod_owner",
	"kube_pod_status_phase",
}

// selected matches the name of a series in an expression: a name before a brace, or a name of kube-state-metrics anywhere.
var selected = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\{|\bkube_[a-z_]+`)

// panelQuery is a query of the dashboard, and the place of the query.
type panelQuery struct{ where, expr string }

// dashboard returns the expressions of all panels, annotations and variables. It replaces variables as Grafana does for all agents, and
// fails for an unknown variable.
func dashboard(t *testing.T) []panelQuery {
	t.Helper()
	content, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Panels []struct {
			Title   string
			Type    string
			Targets []struct{ RefID, Expr string }
		}
		Annotations struct {
			List []struct{ Name, Expr string }
		}
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
	}
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	var all []panelQuery
	for _, panel := range file.Panels {
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("panel %q has no query", panel.Title)
		}
		for _, target := range panel.Targets {
			all = append(all, panelQuery{"panel " + panel.Title + " " + target.RefID, fill(t, target.Expr)})
		}
	}
	for _, annotation := range file.Annotations.List {
		all = append(all, panelQuery{"annotation " + annotation.Name, fill(t, annotation.Expr)})
	}
	for _, variable := range file.Templating.List {
		if variable.Type == "query" {
			all = append(all, panelQuery{"variable " + variable.Name, fill(t, labelValues(t, variable.Definition))})
		}
	}
	return all
}

// labelValues returns the selector in label_values(selector, label).
func labelValues(t *testing.T, definition string) string {
	match := regexp.MustCompile(`^label_values\((.*), [a-z]+\)$`).FindStringSubmatch(definition)
	if match == nil {
		t.Fatalf("not a label_values(…): %s", definition)
	}
	return match[1]
}

func fill(t *testing.T, expr string) string {
	filled := strings.NewReplacer("$namespace", "bank|shop", "$cronjob", "helmfile-agent|apps-helmfile-agent", "$names", ".*helmfile-agent.*").Replace(expr)
	if left := regexp.MustCompile(`\$[a-zA-Z_{]+`).FindString(filled); left != "" {
		t.Errorf("the test does not know this variable: %s", left)
	}
	return filled
}

func TestDashboardAndRulesUseKnownSeries(t *testing.T) {
	queries := dashboard(t)
	var recorded []string
	for _, r := range parse(t, render(t, allAgents)) {
		queries = append(queries, panelQuery{"rule " + r.Record + r.Alert, r.Expr})
		recorded = append(recorded, r.Record)
	}
	used := map[string]bool{}
	for _, q := range queries {
		for _, series := range selected.FindAllString(q.expr, -1) {
			series = strings.TrimSuffix(series, "{")
			used[series] = true
			if inDashboard := !strings.HasPrefix(q.where, "rule "); !slices.Contains(known, series) && (inDashboard || !slices.Contains(recorded, series)) {
				t.Errorf("%s uses %s, which kube-state-metrics does not have by default", q.where, series)
			}
		}
	}
	for _, series := range known {
		if !used[series] {
			t.Errorf("no query uses %s", series)
		}
	}
}

// TestDashboardShowsSomething runs every query of the dashboard with series of many situations and two replicas of
// kube-state-metrics. promtool fails if an expression does not parse, or a join is not unique.
func TestDashboardShowsSomething(t *testing.T) {
	busy := story{minutes: 60, replicas: 2, agents: []agent{
		{namespace: "bank", runs: []run{{at: 5, oom: true, fails: true}, {at: 15, takes: 5}, {at: 30, takes: 30, pending: 30, waits: []string{"ContainerCreating"}}}},
		{runs: succeed(from(15, 45)...)}, {name: "apps-helmfile-agent", runs: succeed(5)},
	}}
	all := testCase{Name: "every query has a result", Interval: "1m", InputSeries: busy.series().inputs()}
	for _, q := range dashboard(t) {
		all.Queries = append(all.Queries, query{"group(" + q.expr + ")", "40m", []sample{{"{}", 1}}})
	}
	testRules(t, everyMinute, []testCase{all}, allAgents)
}

// TestDashboardAgreesWithTheAlerts compares the last result on the dashboard, which uses no recording rules, with the recorded one.
func TestDashboardAgreesWithTheAlerts(t *testing.T) {
	var cases []testCase
	for _, title := range []string{"a run fails", "a later success ends the alert, although the failed Job still exists", "two agents in one namespace"} {
		e := examples[title]
		made := testCase{Name: title, Interval: "1m", InputSeries: e.series().inputs()}
		for _, q := range dashboard(t) {
			if !strings.HasPrefix(q.where, "panel Last result") {
				continue
			}
			for _, minute := range []int{20, 33, 49} {
				made.Queries = append(made.Queries, query{
					"count((" + q.expr + ") == on (cluster, namespace, cronjob) namespace_cronjob:helmfile_agent_last_run_failed:bool)",
					fmt.Sprintf("%dm", minute), []sample{{"{}", float64(len(e.agents))}},
				})
			}
		}
		if len(made.Queries) != 6 {
			t.Fatalf("%d queries of the last result, want those of two panels at three times", len(made.Queries))
		}
		cases = append(cases, made)
	}
	testRules(t, everyMinute, cases, allAgents)
}
