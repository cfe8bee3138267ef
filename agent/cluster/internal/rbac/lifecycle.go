package rbac

import (
	"slices"

	helm "helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// lifecycle adds every right that the release may need: to install, upgrade, correct, roll back and uninstall it.
func (n *needs) lifecycle(corrects bool) {
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

// optional are rights that a release can do without: listing objects is cheaper than getting each, and Events only inform.
// Without the list of autoscalers replicas are not corrected.
func (n *needs) optional(corrects bool) []right {
	e := &needs{Change: n.Change, scopeOf: n.scopeOf, rights: []right{{"create", "", "events", n.Namespace, ""}}}
	for _, object := range slices.Concat(n.Before, n.After) {
		if !object.Hook {
			object.Name = "" // all of a kind are listed
			e.object(object, "list")
		}
		if corrects && hasReplicas(object) {
			e.related(object, "autoscaling/v2", "HorizontalPodAutoscaler", "list")
		}
	}
	return e.rights
}

func hasReplicas(object release.Object) bool {
	_, found, err := unstructured.NestedFieldNoCopy(object.Content, "spec", "replicas")
	return found && err == nil && !object.Hook
}

// orphaned adds the rights to mark and to prune a release that is no longer declared.
func (n *needs) orphaned() {
	n.record("", "patch")
	n.uninstall()
}
