package rbac

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// futureKinds returns the kinds that the CustomResourceDefinitions of the changes define.
func futureKinds(changes []Change) map[schema.GroupVersionKind]kube.ResourceScope {
	kinds := map[schema.GroupVersionKind]kube.ResourceScope{}
	for _, change := range changes {
		for _, object := range slices.Concat(change.CRDs, change.After) {
			if object.Kind == kube.CRDKind {
				addKinds(kinds, object)
			}
		}
	}
	return kinds
}

func addKinds(kinds map[schema.GroupVersionKind]kube.ResourceScope, defined release.Object) {
	group, _, _ := unstructured.NestedString(defined.Content, "spec", "group")
	kind, _, _ := unstructured.NestedString(defined.Content, "spec", "names", "kind")
	plural, _, _ := unstructured.NestedString(defined.Content, "spec", "names", "plural")
	scope, _, _ := unstructured.NestedString(defined.Content, "spec", "scope")
	versions, _, _ := unstructured.NestedSlice(defined.Content, "spec", "versions")
	for _, version := range versions {
		fields, _ := version.(map[string]any)
		name, _ := fields["name"].(string)
		at := kube.ResourceScope{GroupVersionResource: schema.GroupVersionResource{Group: group, Version: name, Resource: plural}}
		if scope == "Namespaced" {
			at.Namespace = anyNamespace
		}
		kinds[schema.GroupVersionKind{Group: group, Version: name, Kind: kind}] = at
	}
}

// anyNamespace marks a namespaced kind: the namespace of its scope is that of the object.
const anyNamespace = "*"

// withFutureKinds returns a resolver that also knows the kinds that the changes themselves define.
func withFutureKinds(scopeOf resolver, changes []Change) resolver {
	kinds := futureKinds(changes)
	return func(object release.Object, namespace string) (kube.ResourceScope, bool) {
		if at, ok := scopeOf(object, namespace); ok {
			return at, true
		}
		at, ok := kinds[schema.FromAPIVersionAndKind(object.APIVersion, object.Kind)]
		if at.Namespace == anyNamespace {
			at.Namespace = cmp.Or(object.Namespace, namespace)
		}
		return at, ok
	}
}
