package alerts

import (
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestChartRendersTheRules renders the chart with the real helm and its defaults. So a tenant installs the rules that the other tests
// check for one agent.
func TestChartRendersTheRules(t *testing.T) {
	helm := exec.CommandContext(t.Context(), "../../bin/helm", "template", "helmfile-agent", "../../chart", "--namespace", "shop", "--kube-version", "1.36.0",
		"--show-only", "templates/prometheusrule.yaml", "--set", "prometheusRule.enabled=true", "--set", "config.repo=https://git.example.com/shop")
	document, err := helm.Output()
	if err != nil {
		t.Fatalf("helm template (build it with `make bin/helm`): %v", err)
	}
	var rendered struct{ Spec any }
	if err := yaml.Unmarshal(document, &rendered); err != nil {
		t.Fatal(err)
	}
	var want any
	if err := yaml.Unmarshal([]byte(render(t, oneAgent)), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, rendered.Spec); diff != "" {
		t.Errorf("the rules (-) and the rendered chart (+) differ:\n%s", diff)
	}
}
