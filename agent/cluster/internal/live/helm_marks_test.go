package live

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestMarksOfHelm(t *testing.T) {
	type node = map[string]any
	managed := node{"app.kubernetes.io/managed-by": "Helm"}
	belongs := node{kube.NameAnnotation: "web", kube.NamespaceAnnotation: "shop"}
	for name, test := range map[string]struct{ content, want node }{
		"are put on an object without metadata": {
			content: node{"data": node{"a": "1"}},
			want:    node{"data": node{"a": "1"}, "metadata": node{"labels": managed, "annotations": belongs}},
		},
		"are put on an object with an empty list of labels": {
			content: node{"metadata": node{"name": "web", "labels": nil}},
			want:    node{"metadata": node{"name": "web", "labels": managed, "annotations": belongs}},
		},
		"stand beside others": {
			content: node{"metadata": node{"labels": node{"team": "shop"}, "annotations": node{"note": "x"}}},
			want: node{"metadata": node{
				"labels":      node{"team": "shop", "app.kubernetes.io/managed-by": "Helm"},
				"annotations": node{"note": "x", kube.NameAnnotation: "web", kube.NamespaceAnnotation: "shop"},
			}},
		},
		"replace those of another release": {
			content: node{"metadata": node{
				"labels":      node{"app.kubernetes.io/managed-by": "kustomize"},
				"annotations": node{kube.NameAnnotation: "db", kube.NamespaceAnnotation: "other"},
			}},
			want: node{"metadata": node{"labels": managed, "annotations": belongs}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := deepCopy(test.content)
			got := owned(release.Object{Content: test.content}, web)
			if diff := cmp.Diff(test.want, got.Content); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, test.content); diff != "" {
				t.Errorf("the object itself was changed (-want +got):\n%s", diff)
			}
			metadata := got.Content["metadata"].(map[string]any)
			if !kube.BelongsTo(textsOf(metadata["annotations"]), web) {
				t.Error("the object does not belong to the release")
			}
		})
	}
}

func deepCopy(node map[string]any) map[string]any {
	copied := map[string]any{}
	for key, value := range node {
		if below, ok := value.(map[string]any); ok {
			value = deepCopy(below)
		}
		copied[key] = value
	}
	return copied
}

func textsOf(value any) map[string]string {
	texts := map[string]string{}
	for key, text := range value.(map[string]any) {
		texts[key] = text.(string)
	}
	return texts
}
