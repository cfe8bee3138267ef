package live

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func modeOf(content map[string]any) release.DriftMode {
	u := unstructured.Unstructured{Object: content}
	return release.DriftMode(u.GetAnnotations()[release.DriftLabel])
}

// ignoredPaths returns the paths that the configuration, the annotation in the chart and the annotation of the live object exclude.
func (d *driftDetector) ignoredPaths(t target, live *unstructured.Unstructured) []string {
	var paths []string
	gv, _ := schema.ParseGroupVersion(t.APIVersion) // the object has a scope, so its version parses
	for _, rule := range d.rules {
		if matches(rule.Kind, t.Kind) && matches(rule.Group, gv.Group) && matches(rule.Namespace, t.scope.Namespace) && matches(rule.Name, t.Name) {
			paths = append(paths, rule.Paths...)
		}
	}
	if aggregated(t) {
		paths = append(paths, "/rules")
	}
	rendered := unstructured.Unstructured{Object: t.Content}
	for _, annotations := range []map[string]string{rendered.GetAnnotations(), live.GetAnnotations()} {
		for path := range strings.SplitSeq(annotations[release.DriftIgnore], ",") {
			if path = strings.TrimSpace(path); path != "" {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

func matches(pattern, value string) bool { return pattern == "" || pattern == value }

// transient says whether Kubernetes itself deletes the object after its work is done. To create it again would repeat the work.
func transient(t target) bool {
	spec, _ := t.Content["spec"].(map[string]any)
	return t.Kind == "Job" && spec["ttlSecondsAfterFinished"] != nil
}

// aggregated says whether a controller writes the rules of the ClusterRole. It overwrites all others.
func aggregated(t target) bool {
	return t.Kind == "ClusterRole" && t.Content["aggregationRule"] != nil
}
