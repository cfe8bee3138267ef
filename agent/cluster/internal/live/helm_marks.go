package live

import (
	"maps"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// owned returns the object with the label and the annotations that Helm sets on every object of a release.
func owned(object release.Object, key release.Key) release.Object {
	content := maps.Clone(object.Content)
	metadata := cloneOf(content["metadata"])
	labels, annotations := cloneOf(metadata["labels"]), cloneOf(metadata["annotations"])
	labels["app.kubernetes.io/managed-by"] = "Helm"
	annotations[kube.NameAnnotation] = key.Name
	annotations[kube.NamespaceAnnotation] = key.Namespace
	metadata["labels"], metadata["annotations"] = labels, annotations
	content["metadata"] = metadata
	object.Content = content
	return object
}

func cloneOf(value any) map[string]any {
	node, _ := value.(map[string]any)
	if node == nil {
		return map[string]any{}
	}
	return maps.Clone(node)
}
