package alerts

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

var update = flag.Bool("update", false, "rewrite rules.yaml")

const (
	source    = "../../chart/files/rules.yaml"
	generated = "rules.yaml"
	header    = "# Generated from chart/files/rules.yaml by `go test ./deploy/alerts -update`, for every CronJob with helmfile-agent in its name.\n"
	pages     = "../../docs/runbooks"
	address   = "https://github.com/helmfile-agent/helmfile-agent/blob/main/docs/runbooks/"
)

// scope has the values of the placeholders of the source.
type scope map[string]string

// allAgents covers every agent in every namespace. oneAgent has the values that the chart uses for a release with its own name
// in the namespace shop. Both have the default thresholds.
var (
	allAgents = withDefaults(".+", ".*helmfile-agent.*")
	oneAgent  = withDefaults("shop", "helmfile-agent")
)

func withDefaults(namespace, cronjob string) scope {
	return scope{
		"__NAMESPACE__": namespace, "__CRONJOB__": cronjob,
		"__NO_SUCCESS_RUNS__": "3", "__NO_SUCCESS_SECONDS__": "600",
		"__STUCK_FRACTION__": "0.8", "__STUCK_SECONDS__": "1800",
	}
}

// render replaces every placeholder of the source. It leaves out the comment about the placeholders.
func render(t *testing.T, s scope) string {
	t.Helper()
	content, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	_, rules, _ := strings.Cut(string(content), "\ngroups:\n")
	rules = "groups:\n" + rules
	for word, replacement := range s {
		rules = strings.ReplaceAll(rules, word, replacement)
	}
	if left := regexp.MustCompile(`__[A-Z_]+__`).FindString(rules); left != "" {
		t.Fatalf("%s has a placeholder without a value: %s", source, left)
	}
	return rules
}

func TestRulesForAllAgentsAreTheChartsRules(t *testing.T) {
	want := header + render(t, allAgents)
	if *update {
		if err := os.WriteFile(generated, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(generated)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("%s does not match %s; run: go test ./deploy/alerts -update\n%s", generated, source, diff)
	}
}

// rule is a recording rule or an alert.
type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

// parse reads the rules in the text of a file. It ignores unknown fields; promtool finds those.
func parse(t *testing.T, text string) []rule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

func TestEveryAlertHasARunbook(t *testing.T) {
	var want []string
	for _, r := range parse(t, render(t, allAgents)) {
		if r.Alert == "" {
			continue
		}
		want = append(want, r.Alert+".md")
		if r.Annotations["runbook_url"] != address+r.Alert+".md" {
			t.Errorf("%s: runbook_url is %s", r.Alert, r.Annotations["runbook_url"])
		}
		page, err := os.ReadFile(pages + "/" + r.Alert + ".md")
		if err != nil {
			t.Error(err)
			continue
		}
		if title, _, _ := strings.Cut(string(page), "\n"); title != "# "+r.Alert {
			t.Errorf("%s.md begins with %q", r.Alert, title)
		}
	}
	var have []string
	entries, err := os.ReadDir(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		have = append(have, entry.Name())
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("alerts (-) and pages in %s (+) differ:\n%s", pages, diff)
	}
}

func TestRunbookKnowsEveryExitCode(t *testing.T) {
	page, err := os.ReadFile(pages + "/HelmfileAgentRunFailed.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range exit.Table {
		if begin := fmt.Sprintf("\n| %d | `%s` |", row.Code, row.Name); row.Code != exit.Converged && !strings.Contains(string(page), begin) {
			t.Errorf("HelmfileAgentRunFailed.md has no row for exit code %d, %s", row.Code, row.Name)
		}
	}
}

func TestRulesAreValid(t *testing.T) {
	for name, s := range map[string]scope{"for all agents": allAgents, "for one agent": oneAgent} {
		t.Run(name, func(t *testing.T) {
			file := write(t, t.TempDir(), "rules.yaml", render(t, s))
			promtool(t, "check", "rules", "--lint=all", "--lint-fatal", file)
		})
	}
}
