package render

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestPrometheusRule checks that the chart replaces only the placeholders in the file of rules, and keeps the templates of Prometheus.
func TestPrometheusRule(t *testing.T) {
	file, err := os.ReadFile(filepath.Join(root, "chart/files/rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("__NAMESPACE__", "shop", "__CRONJOB__", "own[.]agent", "__NO_SUCCESS_RUNS__", "0", "__NO_SUCCESS_SECONDS__", "3600",
		"__STUCK_FRACTION__", "0.5", "__STUCK_SECONDS__", "1800").Replace(string(file))
	var want, got prometheusRule
	if err := yaml.UnmarshalStrict([]byte(text), &want.Spec); err != nil {
		t.Fatal(err)
	}
	got = *find[*prometheusRule](t, must(t, given, "{fullnameOverride: own.agent, prometheusRule: {enabled: true, noSuccess: {runs: 0, seconds: 3600}, stuck: {fraction: 0.5}}}"))
	if diff := cmp.Diff(want.Spec, got.Spec); diff != "" {
		t.Error(diff)
	}
	if word := regexp.MustCompile(`__\w+__`).FindString(text); word != "" {
		t.Errorf("the placeholder %s is not replaced", word)
	}
	if len(got.Spec.Groups) == 0 || !strings.Contains(text, "{{ $labels") {
		t.Error("the rules are not there")
	}
}

// TestDashboard checks that the ConfigMap for Grafana's sidecar has the chart's file.
func TestDashboard(t *testing.T) {
	file, err := os.ReadFile(filepath.Join(root, "chart/files/dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	dashboard, is := must(t, given, "dashboard: {enabled: true, annotations: {folder: agents}}")["ConfigMap shop/shop-agent-helmfile-agent-dashboard"].(*core.ConfigMap)
	if !is || dashboard.Labels["grafana_dashboard"] != "1" || dashboard.Annotations["folder"] != "agents" {
		t.Fatalf("the ConfigMap is missing, or the sidecar cannot find it: %v", dashboard)
	}
	var want, got map[string]any
	if err := json.Unmarshal(file, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(dashboard.Data["shop-agent-helmfile-agent.json"]), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("the dashboard differs from its file: %s", diff)
	}
}
