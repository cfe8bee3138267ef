package action

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

// ownedClient is Helm's client for objects. It writes none of the agent's own objects, and deletes only objects that belong to the
// release. It sees what Helm is about to write: lists are flattened, and hooks and CRDs are there too.
type ownedClient struct {
	*helmkube.Client
	history *history.History
	key     release.Key
	log     *slog.Logger
	// revisions reads the history of the release.
	revisions func() ([]*helm.Release, error)
	// former are objects and hooks of revisions that were interrupted. The operation that follows removes what it does not have itself.
	former      helmkube.ResourceList
	formerHooks []leftHook
}

// protected is an error if the release must not write one of the objects.
func (c *ownedClient) protected(objects helmkube.ResourceList) error {
	var errs []error
	for _, info := range objects {
		errs = append(errs, c.history.Protected(c.key, objectKey(info)))
	}
	return errors.Join(errs...)
}

func objectKey(info *resource.Info) release.ObjectKey {
	version, kind := info.Mapping.GroupVersionKind.ToAPIVersionAndKind()
	return release.ObjectKey{APIVersion: version, Kind: kind, Namespace: info.Namespace, Name: info.Name}
}

// Create implements kube.Interface of Helm.
func (c *ownedClient) Create(objects helmkube.ResourceList) (*helmkube.Result, error) {
	if err := c.protected(objects); err != nil {
		return nil, err
	}
	if areHooks(objects) {
		return c.createHook(objects)
	}
	if len(c.former.Difference(objects)) > 0 {
		return c.Update(nil, objects, false) // creates what is not there, and deletes what is former
	}
	return c.Client.Create(objects)
}

// Delete implements kube.Interface of Helm, which deletes hooks with it.
func (c *ownedClient) Delete(objects helmkube.ResourceList) (*helmkube.Result, []error) {
	if err := c.protected(objects); err != nil {
		return nil, []error{err}
	}
	return c.Client.Delete(objects)
}

// Update implements kube.Interface of Helm.
func (c *ownedClient) Update(original, target helmkube.ResourceList, force bool) (*helmkube.Result, error) {
	if err := c.protected(target); err != nil {
		return &helmkube.Result{}, err
	}
	original, err := c.withoutForeign(c.withFormer(original, target), target)
	if err != nil {
		return &helmkube.Result{}, err
	}
	return c.Client.Update(original, target, force)
}

// UpdateThreeWayMerge implements kube.InterfaceThreeWayMerge of Helm.
func (c *ownedClient) UpdateThreeWayMerge(original, target helmkube.ResourceList, force bool) (*helmkube.Result, error) {
	if err := c.protected(target); err != nil {
		return &helmkube.Result{}, err
	}
	original, err := c.withoutForeign(c.withFormer(original, target), target)
	if err != nil {
		return &helmkube.Result{}, err
	}
	return c.Client.UpdateThreeWayMerge(original, target, force)
}

// DeleteWithPropagationPolicy implements kube.InterfaceDeletionPropagation of Helm. Helm uninstalls with it.
func (c *ownedClient) DeleteWithPropagationPolicy(objects helmkube.ResourceList, policy metav1.DeletionPropagation) (*helmkube.Result, []error) {
	own, err := c.withoutForeign(c.withFormer(objects, nil), nil)
	if err != nil {
		return nil, []error{err}
	}
	if len(own) == 0 {
		return &helmkube.Result{}, nil
	}
	return c.Client.DeleteWithPropagationPolicy(own, policy)
}

// WaitForDelete implements kube.InterfaceExt of Helm. It does not wait for what was left.
func (c *ownedClient) WaitForDelete(objects helmkube.ResourceList, timeout time.Duration) error {
	own, err := c.withoutForeign(objects, nil)
	if err != nil {
		return err
	}
	return c.Client.WaitForDelete(own, timeout)
}

// withFormer adds the objects that only interrupted revisions had.
func (c *ownedClient) withFormer(original, target helmkube.ResourceList) helmkube.ResourceList {
	return append(slices.Clone(original), c.former.Difference(target).Difference(original)...)
}

// withoutForeign are the objects without those that would be deleted and do not belong to the release.
func (c *ownedClient) withoutForeign(objects, staying helmkube.ResourceList) (helmkube.ResourceList, error) {
	var foreign helmkube.ResourceList
	for _, info := range objects.Difference(staying) {
		if err := c.history.Protected(c.key, objectKey(info)); err != nil {
			c.log.Warn("an object is left", "release", c.key.String(), "error", err)
			foreign.Append(info)
			continue
		}
		belongs, err := c.belongs(info)
		if err != nil {
			return nil, fmt.Errorf("look at %s before it is deleted: %w", info.ObjectName(), err)
		}
		if !belongs {
			c.log.Warn("an object is left: it does not bear Helm's annotations of the release", "release", c.key.String(), "object", info.ObjectName())
			foreign.Append(info)
		}
	}
	return objects.Difference(foreign), nil
}

// belongs is true of what is not there: Helm ignores it.
func (c *ownedClient) belongs(info *resource.Info) (bool, error) {
	live, err := resource.NewHelper(info.Client, info.Mapping).Get(info.Namespace, info.Name)
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	accessor, err := meta.Accessor(live)
	if err != nil {
		return false, err
	}
	return kube.BelongsTo(accessor.GetAnnotations(), c.key), nil
}
