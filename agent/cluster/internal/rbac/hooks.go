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

// hooks are created when their event comes, watched if they are to complete, and deleted as they say.
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
		if goesByItself(object) {
			n.object(object, "delete", "get")
		}
	}
}

// goesByItself says whether Helm deletes the hook, be it only before it creates it once more, as it does by default. What
// defines kinds it never deletes.
func goesByItself(hook release.Object) bool {
	if hook.Kind == kube.CRDKind {
		return false
	}
	annotation := annotationsOf(hook)[helm.HookDeleteAnnotation]
	known := []helm.HookDeletePolicy{helm.HookBeforeHookCreation, helm.HookSucceeded, helm.HookFailed}
	return strings.TrimSpace(annotation) == "" || slices.ContainsFunc(known, func(policy helm.HookDeletePolicy) bool {
		return has(hook, helm.HookDeleteAnnotation, string(policy))
	})
}

// kept objects outlive their release.
func kept(object release.Object) bool {
	return has(object, helmkube.ResourcePolicyAnno, helmkube.KeepPolicy)
}

// has says whether an annotation's list has the value.
func has(object release.Object, annotation, value string) bool {
	return slices.ContainsFunc(strings.Split(annotationsOf(object)[annotation], ","), func(listed string) bool {
		return strings.EqualFold(strings.TrimSpace(listed), value)
	})
}

func annotationsOf(object release.Object) map[string]string {
	return (&unstructured.Unstructured{Object: object.Content}).GetAnnotations()
}
