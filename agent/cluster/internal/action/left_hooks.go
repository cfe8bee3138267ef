package action

import (
	"fmt"
	"slices"
	"strings"
	"time"

	helmkube "helm.sh/helm/v3/pkg/kube"
	helm "helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// leftHook is a hook that an interrupted revision had begun to run. Its object may be left in the cluster, and Helm could not create
// it again.
type leftHook struct {
	kind, name string
	began      time.Time // Helm records this before it creates the object
}

// hooksLeftBy are the hooks that a revision had begun to run.
func hooksLeftBy(revision *helm.Release) []leftHook {
	var left []leftHook
	for _, hook := range revision.Hooks {
		if hook != nil && !hook.LastRun.StartedAt.IsZero() {
			left = append(left, leftHook{hook.Kind, hook.Name, hook.LastRun.StartedAt.Time})
		}
	}
	return left
}

func areHooks(objects helmkube.ResourceList) bool {
	return len(objects) > 0 && !slices.ContainsFunc(objects, func(info *resource.Info) bool {
		accessor, err := meta.Accessor(info.Object)
		return err != nil || accessor.GetAnnotations()[helm.HookAnnotation] == ""
	})
}

// hookRemovalTimeout bounds the wait for the object of a hook that is left.
const hookRemovalTimeout = time.Minute

// createHook creates the object of a hook. If an interrupted run has left it, it is removed first, so that the hook runs again.
func (c *ownedClient) createHook(objects helmkube.ResourceList) (*helmkube.Result, error) {
	created, err := c.Client.Create(objects)
	if !apierrors.IsAlreadyExists(err) {
		return created, err
	}
	for _, info := range objects {
		left, lookErr := c.isLeft(info)
		if lookErr != nil {
			return nil, fmt.Errorf("%w; look at it: %w", err, lookErr)
		}
		if !left {
			return nil, fmt.Errorf("%w, and nothing says that an interrupted run of this release left it: remove it with `%s`, "+
				"or give the hook the delete policy before-hook-creation", err, deleteCommand(info))
		}
	}
	c.log.Info("a hook of an interrupted run is removed and runs again", "release", c.key.String(), "hook", objects[0].ObjectName())
	if _, errs := c.Client.Delete(objects); len(errs) > 0 {
		return nil, errs[0]
	}
	if err := c.Client.WaitForDelete(objects, hookRemovalTimeout); err != nil {
		return nil, err
	}
	return c.Client.Create(objects)
}

func deleteCommand(info *resource.Info) string {
	command := fmt.Sprintf("kubectl delete %s %s", strings.ToLower(info.Mapping.GroupVersionKind.Kind), info.Name)
	if info.Namespaced() {
		command += " --namespace " + info.Namespace
	}
	return command
}

// isLeft says whether an interrupted revision of this release left the object: the revision had begun to run a hook of this name, and
// the agent created the object since. The object may have no other owner.
func (c *ownedClient) isLeft(info *resource.Info) (bool, error) {
	kind := info.Mapping.GroupVersionKind.Kind
	left, found, err := c.findLeft(kind, info.Name)
	if err != nil || !found || kind == kube.CRDKind {
		return false, err
	}
	live, err := resource.NewHelper(info.Client, info.Mapping).Get(info.Namespace, info.Name)
	if apierrors.IsNotFound(err) {
		return true, nil // it has just been removed
	}
	if err != nil {
		return false, err
	}
	accessor, err := meta.Accessor(live)
	return err == nil && left.made(accessor, c.key), err
}

// findLeft finds the hook in the revisions that were interrupted: in the one that this operation continues, or in an earlier one, which may
// have been rolled back since. If another revision has run the hook later, the object is what that one left.
func (c *ownedClient) findLeft(kind, name string) (left leftHook, found bool, err error) {
	same := func(h leftHook) bool { return h.kind == kind && h.name == name }
	if i := slices.IndexFunc(c.formerHooks, same); i >= 0 {
		return c.formerHooks[i], true, nil
	}
	revisions, err := c.revisions()
	if err != nil {
		return left, false, err
	}
	var later time.Time
	for _, revision := range revisions {
		i := slices.IndexFunc(hooksLeftBy(revision), same)
		if i < 0 || history.OperationOf(revision.Info.Status) != "" { // the revision in the making
			continue
		}
		hook := hooksLeftBy(revision)[i]
		switch {
		case history.Interrupted(revision) == "" && hook.began.After(later):
			later = hook.began
		case history.Interrupted(revision) != "" && hook.began.After(left.began):
			left = hook
		}
	}
	return left, left.began.After(later), nil
}

// hookClockSkew is by how much the clocks of the agent's node and of the API server may differ.
const hookClockSkew = time.Minute

func (h leftHook) made(live metav1.Object, of release.Key) bool {
	annotations := live.GetAnnotations()
	return annotations[helm.HookAnnotation] != "" &&
		(annotations[kube.NameAnnotation] == "" || kube.BelongsTo(annotations, of)) &&
		len(live.GetOwnerReferences()) == 0 &&
		!live.GetCreationTimestamp().Time.Before(h.began.Add(-hookClockSkew)) &&
		slices.ContainsFunc(live.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool { return f.Manager == kube.FieldManager })
}

// isDeletedWithRelease says that the chart does not ask to keep the object when the release no longer has it.
func isDeletedWithRelease(info *resource.Info) bool {
	accessor, err := meta.Accessor(info.Object)
	return err == nil && accessor.GetAnnotations()[helmkube.ResourcePolicyAnno] != helmkube.KeepPolicy
}

// addFormer notes what an interrupted revision may have left in the cluster. A manifest of kinds that the cluster does not know has left
// nothing.
func (c *ownedClient) addFormer(revision *helm.Release) {
	c.formerHooks = append(c.formerHooks, hooksLeftBy(revision)...)
	objects, err := c.Build(strings.NewReader(revision.Manifest), false)
	if err != nil {
		c.log.Warn("what an interrupted revision left is not looked for", "release", history.KeyOf(revision).String(), "revision", revision.Version, "error", err)
		return
	}
	c.former = append(c.former, objects.Difference(c.former).Filter(isDeletedWithRelease)...)
}
