package cluster

import (
	"slices"

	helm "helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// life is everything that a release may come to need: to be installed, upgraded to whatever changes, corrected, taken back and
// uninstalled.
func (n *needs) life(corrects bool) {
	n.record("", "get", "list", "create", "update", "patch", "delete")
	for _, crd := range n.CRDs {
		n.object(crd, "get", "create")
	}
	for _, object := range slices.Concat(n.Before, n.After) {
		if object.Hook {
			continue
		}
		n.object(object, "get", "create", n.change())
		if corrects {
			n.object(object, "patch")
		}
		if !kept(object) {
			n.object(object, "delete")
		}
	}
	n.hooks(n.After, helm.HookPreInstall, helm.HookPostInstall, helm.HookPreUpgrade, helm.HookPostUpgrade, helm.HookPreDelete, helm.HookPostDelete)
	n.wait(n.After)
	if n.Options.Atomic {
		n.hooks(n.After, helm.HookPreRollback, helm.HookPostRollback)
	}
	if n.Options.RecreatePods {
		n.pods("list", "delete")
	}
}

// ease is what a release can do without: to list objects is cheaper than to get each, and Events are for information.
func (n *needs) ease() []right {
	e := &needs{r: n.r, Change: n.Change, kinds: n.kinds, rights: []right{{"create", "", "events", n.Namespace, ""}}}
	for _, object := range slices.Concat(n.Before, n.After) {
		if !object.Hook {
			object.Name = "" // all of a kind are listed
			e.object(object, "list")
		}
	}
	return e.rights
}

// end is what becomes of a release that nobody declares any more.
func (n *needs) end() {
	n.record("", "patch")
	n.uninstall()
}

// kindsToBe are the places of kinds that the releases themselves bring, as far as their definitions tell.
func (r *Reader) kindsToBe(changes []Change) map[schema.GroupVersionKind]ResourceScope {
	kinds := map[schema.GroupVersionKind]ResourceScope{}
	for _, change := range changes {
		for _, object := range slices.Concat(change.CRDs, change.After) {
			if object.Kind == definition {
				addKinds(kinds, object)
			}
		}
	}
	return kinds
}

func addKinds(kinds map[schema.GroupVersionKind]ResourceScope, defined release.Object) {
	group, _, _ := unstructured.NestedString(defined.Content, "spec", "group")
	kind, _, _ := unstructured.NestedString(defined.Content, "spec", "names", "kind")
	plural, _, _ := unstructured.NestedString(defined.Content, "spec", "names", "plural")
	scope, _, _ := unstructured.NestedString(defined.Content, "spec", "scope")
	versions, _, _ := unstructured.NestedSlice(defined.Content, "spec", "versions")
	for _, version := range versions {
		fields, _ := version.(map[string]any)
		name, _ := fields["name"].(string)
		at := ResourceScope{GroupVersionResource: schema.GroupVersionResource{Group: group, Version: name, Resource: plural}}
		if scope == "Namespaced" {
			at.Namespace = anyNamespace
		}
		kinds[schema.GroupVersionKind{Group: group, Version: name, Kind: kind}] = at
	}
}

// anyNamespace stands in a kind's place for the namespace of the object.
const anyNamespace = "*"

// ResourceScope is where an object of the change is, or will be once its kind is defined.
func (n *needs) place(object release.Object) (ResourceScope, bool) {
	if at, ok := n.r.c.ScopeOf(object, n.Namespace); ok {
		return at, true
	}
	at, ok := n.kinds[schema.FromAPIVersionAndKind(object.APIVersion, object.Kind)]
	if at.Namespace == anyNamespace {
		at.Namespace = n.Namespace
		if object.Namespace != "" {
			at.Namespace = object.Namespace
		}
	}
	return at, ok
}
