package cluster

import (
	"fmt"
	"log/slog"
	"time"

	"helm.sh/helm/v3/pkg/kube"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Helm's annotations on every object of a release, hooks excepted.
const (
	nameAnnotation      = "meta.helm.sh/release-name"
	namespaceAnnotation = "meta.helm.sh/release-namespace"
)

// bears says whether an object belongs to the release. Only a client that may write the object can make it say so.
func BelongsTo(annotations map[string]string, key release.Key) bool {
	return annotations[nameAnnotation] == key.Name && annotations[namespaceAnnotation] == key.Namespace
}

// annotatedOnly is Helm's client for objects. It deletes nothing that a record names but that does not belong to the release.
type annotatedOnly struct {
	*kube.Client
	key release.Key
	log *slog.Logger
}

// Update implements kube.Interface.
func (c annotatedOnly) Update(original, target kube.ResourceList, force bool) (*kube.Result, error) {
	original, err := c.withoutForeign(original, target)
	if err != nil {
		return &kube.Result{}, err
	}
	return c.Client.Update(original, target, force)
}

// UpdateThreeWayMerge implements kube.InterfaceThreeWayMerge.
func (c annotatedOnly) UpdateThreeWayMerge(original, target kube.ResourceList, force bool) (*kube.Result, error) {
	original, err := c.withoutForeign(original, target)
	if err != nil {
		return &kube.Result{}, err
	}
	return c.Client.UpdateThreeWayMerge(original, target, force)
}

// DeleteWithPropagationPolicy implements kube.InterfaceDeletionPropagation. Helm uninstalls with it.
func (c annotatedOnly) DeleteWithPropagationPolicy(objects kube.ResourceList, policy metav1.DeletionPropagation) (*kube.Result, []error) {
	own, err := c.withoutForeign(objects, nil)
	if err != nil {
		return nil, []error{err}
	}
	if len(own) == 0 {
		return &kube.Result{}, nil
	}
	return c.Client.DeleteWithPropagationPolicy(own, policy)
}

// WaitForDelete implements kube.InterfaceExt. It does not wait for what was left.
func (c annotatedOnly) WaitForDelete(objects kube.ResourceList, timeout time.Duration) error {
	own, err := c.withoutForeign(objects, nil)
	if err != nil {
		return err
	}
	return c.Client.WaitForDelete(own, timeout)
}

// withoutForeign are the objects without those that would be deleted and do not belong to the release.
func (c annotatedOnly) withoutForeign(objects, staying kube.ResourceList) (kube.ResourceList, error) {
	var foreign kube.ResourceList
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
	return BelongsTo(accessor.GetAnnotations(), c.key), nil
}
