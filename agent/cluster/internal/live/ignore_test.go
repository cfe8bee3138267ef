package live

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

var web = release.Key{Namespace: "shop", Name: "web"}

// object is a target of the release web, with fields of its content.
func object(version, kind string, content map[string]any) target {
	key := release.ObjectKey{APIVersion: version, Kind: kind, Name: "web"}
	return target{Object: release.Object{ObjectKey: key, Content: content}, of: web, scope: kube.ResourceScope{Namespace: "shop"}}
}

func annotations(pairs map[string]any) map[string]any {
	return map[string]any{"metadata": map[string]any{"annotations": pairs}}
}

func TestIgnoredPaths(t *testing.T) {
	replicas := []string{"/spec/replicas"}
	rule := func(kind, group, namespace, name string) []release.IgnoreRule {
		return []release.IgnoreRule{{Kind: kind, Group: group, Namespace: namespace, Name: name, Paths: replicas}}
	}
	for name, test := range map[string]struct {
		rules          []release.IgnoreRule
		rendered, live string // the annotation drift-ignore
		want           []string
	}{
		"without a rule":                       {},
		"of a rule for every object":           {rules: rule("", "", "", ""), want: replicas},
		"of a rule for the kind":               {rules: rule("Deployment", "", "", ""), want: replicas},
		"of a rule for the group":              {rules: rule("", "apps", "", ""), want: replicas},
		"of a rule for the namespace":          {rules: rule("", "", "shop", ""), want: replicas},
		"of a rule for the name":               {rules: rule("", "", "", "web"), want: replicas},
		"of a rule for all of these":           {rules: rule("Deployment", "apps", "shop", "web"), want: replicas},
		"not of a rule for another kind":       {rules: rule("StatefulSet", "apps", "shop", "web")},
		"not of a rule for another group":      {rules: rule("Deployment", "batch", "shop", "web")},
		"not of a rule for another namespace":  {rules: rule("Deployment", "apps", "other", "web")},
		"not of a rule for another name":       {rules: rule("Deployment", "apps", "shop", "db")},
		"not of a rule for a part of the name": {rules: rule("", "", "", "we")},
		"of two rules":                         {rules: append(rule("", "", "", ""), release.IgnoreRule{Paths: []string{"/data/a", "/data/b"}}), want: []string{"/spec/replicas", "/data/a", "/data/b"}},
		"of the annotation that a chart sets":  {rendered: "/data/a", want: []string{"/data/a"}},
		"of the annotation of the live object": {live: "/data/a", want: []string{"/data/a"}},
		"of an annotation with several paths":  {rendered: " /data/a, /data/b ,,", want: []string{"/data/a", "/data/b"}},
		"of an empty annotation":               {rendered: " "},
		"of rules first, of annotations after": {rules: rule("", "", "", ""), rendered: "/data/a", live: "/data/b", want: []string{"/spec/replicas", "/data/a", "/data/b"}},
	} {
		t.Run(name, func(t *testing.T) {
			of := object("apps/v1", "Deployment", annotations(map[string]any{release.DriftIgnore: test.rendered}))
			live := &unstructured.Unstructured{Object: annotations(map[string]any{release.DriftIgnore: test.live})}
			got := (&driftDetector{rules: test.rules}).ignoredPaths(of, live)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARuleWithoutAGroupMatchesEveryGroup(t *testing.T) {
	rules := []release.IgnoreRule{{Kind: "Service", Paths: []string{"/spec/clusterIP"}}}
	for _, version := range []string{"v1", "serving.knative.dev/v1"} {
		got := (&driftDetector{rules: rules}).ignoredPaths(object(version, "Service", nil), &unstructured.Unstructured{})
		if diff := cmp.Diff([]string{"/spec/clusterIP"}, got); diff != "" {
			t.Errorf("paths in %s (-want +got):\n%s", version, diff)
		}
	}
}

func TestRulesOfAnAggregatedClusterRoleAreIgnored(t *testing.T) {
	with := map[string]any{"aggregationRule": map[string]any{}}
	for name, test := range map[string]struct {
		of   target
		want []string
	}{
		"an aggregated ClusterRole": {object("rbac.authorization.k8s.io/v1", "ClusterRole", with), []string{"/rules"}},
		"another ClusterRole":       {object("rbac.authorization.k8s.io/v1", "ClusterRole", nil), nil},
		"another kind":              {object("example.com/v1", "Role", with), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := (&driftDetector{}).ignoredPaths(test.of, &unstructured.Unstructured{})
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDriftModeOfAnObject(t *testing.T) {
	for name, test := range map[string]struct {
		content map[string]any
		want    release.DriftMode
	}{
		"no content":         {nil, ""},
		"no annotation":      {annotations(map[string]any{"other": "off"}), ""},
		"the annotation off": {annotations(map[string]any{release.DriftLabel: "off"}), release.IgnoreDrift},
		"a label only":       {map[string]any{"metadata": map[string]any{"labels": map[string]any{release.DriftLabel: "off"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := modeOf(test.content); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWhatKubernetesDeletesItself(t *testing.T) {
	short := map[string]any{"spec": map[string]any{"ttlSecondsAfterFinished": int64(0)}}
	for name, test := range map[string]struct {
		of   target
		want bool
	}{
		"a Job with a time to live":        {object("batch/v1", "Job", short), true},
		"a Job without a time to live":     {object("batch/v1", "Job", map[string]any{"spec": map[string]any{}}), false},
		"a Job without a spec":             {object("batch/v1", "Job", nil), false},
		"another kind with the same field": {object("example.com/v1", "Task", short), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := transient(test.of); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
