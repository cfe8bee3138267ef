package rbac

import (
	"slices"
	"strings"

	helmkube "helm.sh/helm/v3/pkg/kube"
	helm "helm.sh/helm/v3/pkg/release"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// hooks adds the rights for the hooks of the events. Helm creates a hook, watches it if it is a Job or a Pod, and deletes it by its policy.
func (n *needs) hooks(manifest release.Manifest, events ...helm.HookEvent) {
	if n.Options.DisableHooks {
		return
	}
	for _, object := range manifest {
		if !object.Hook || !slices.ContainsFunc(events, func(event helm.HookEvent) bool { return has(object, helm.HookAnnotation, string(event)) }) {
			continue
		}
		n.object(object, "create")
		if object.Kind == "Job" || object.Kind == "Pod" {
			n.object(object, "list", "watch")
		}
		if isDeletedByHelm(object) {
			n.object(object, "delete", "get")
		}
	}
}

// isDeletedByHelm says whether Helm deletes the hook. By default Helm does so before it creates the hook again. It never deletes a
// CustomResourceDefinition.
func isDeletedByHelm(hook release.Object) bool {
	if hook.Kind == kube.CRDKind {
		return false
	}
	annotation := annotationsOf(hook)[helm.HookDeleteAnnotation]
	known := []helm.HookDeletePolicy{helm.HookBeforeHookCreation, helm.HookSucceeded, helm.HookFailed}
	return strings.TrimSpace(annotation) == "" || slices.ContainsFunc(known, func(policy helm.HookDeletePolicy) bool {
		return has(hook, helm.HookDeleteAnnotation, string(policy))
	})
}

// kept says whether Helm leaves the object in the cluster when the release no longer has it.
func kept(object release.Object) bool {
	return has(object, helmkube.ResourcePolicyAnno, helmkube.KeepPolicy)
}

// has says whether the comma-separated list in the annotation contains the value.
func has(object release.Object, annotation, value string) bool {
	return slices.ContainsFunc(strings.Split(annotationsOf(object)[annotation], ","), func(listed string) bool {
		return strings.EqualFold(strings.TrimSpace(listed), value)
	})
}

func annotationsOf(object release.Object) map[string]string {
	return (&unstructured.Unstructured{Object: object.Content}).GetAnnotations()
}
