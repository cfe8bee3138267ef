package action

import (
	"fmt"
	"log/slog"
	"time"

	helmkube "helm.sh/helm/v3/pkg/kube"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// annotatedOnly is Helm's client for objects. It deletes nothing that a record names but that does not belong to the release.
type annotatedOnly struct {
	*helmkube.Client
	key release.Key
	log *slog.Logger
}

// Update implements helmkube.Interface.
func (c annotatedOnly) Update(original, target helmkube.ResourceList, force bool) (*helmkube.Result, error) {
	original, err := c.withoutForeign(original, target)
	if err != nil {
		return &helmkube.Result{}, err
	}
	return c.Client.Update(original, target, force)
}

// UpdateThreeWayMerge implements helmkube.InterfaceThreeWayMerge.
func (c annotatedOnly) UpdateThreeWayMerge(original, target helmkube.ResourceList, force bool) (*helmkube.Result, error) {
	original, err := c.withoutForeign(original, target)
	if err != nil {
		return &helmkube.Result{}, err
	}
	return c.Client.UpdateThreeWayMerge(original, target, force)
}

// DeleteWithPropagationPolicy implements helmkube.InterfaceDeletionPropagation. Helm uninstalls with it.
func (c annotatedOnly) DeleteWithPropagationPolicy(objects helmkube.ResourceList, policy metav1.DeletionPropagation) (*helmkube.Result, []error) {
	own, err := c.withoutForeign(objects, nil)
	if err != nil {
		return nil, []error{err}
	}
	if len(own) == 0 {
		return &helmkube.Result{}, nil
	}
	return c.Client.DeleteWithPropagationPolicy(own, policy)
}

// WaitForDelete implements helmkube.InterfaceExt. It does not wait for what was left.
func (c annotatedOnly) WaitForDelete(objects helmkube.ResourceList, timeout time.Duration) error {
	own, err := c.withoutForeign(objects, nil)
	if err != nil {
		return err
	}
	return c.Client.WaitForDelete(own, timeout)
}

// withoutForeign are the objects without those that would be deleted and do not belong to the release.
func (c annotatedOnly) withoutForeign(objects, staying helmkube.ResourceList) (helmkube.ResourceList, error) {
	var foreign helmkube.ResourceList
	for _, info := range objects.Difference(staying) {
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
func (c annotatedOnly) belongs(info *resource.Info) (bool, error) {
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
