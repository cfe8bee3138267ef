package live

import (
	"context"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
)

// autoscaled says whether an autoscaler may own the number of the object's replicas. When the agent must not list autoscalers there may be
// one, and its number of replicas must not be reset.
func (d *driftDetector) autoscaled(ctx context.Context, t target) (bool, error) {
	once, _ := d.scalers.LoadOrStore(t.scope.Namespace, sync.OnceValues(func() ([]autoscaled, error) { return d.autoscaledIn(ctx, t.scope.Namespace) }))
	all, err := once.(func() ([]autoscaled, error))()
	if apierrors.IsForbidden(err) {
		return true, nil
	}
	return slices.Contains(all, autoscaled{t.Kind, t.Name}), err
}

// autoscaled is a workload that an autoscaler targets.
type autoscaled struct{ kind, name string }

func (d *driftDetector) autoscaledIn(ctx context.Context, namespace string) ([]autoscaled, error) {
	list, err := d.kube.Client.AutoscalingV2().HorizontalPodAutoscalers(namespace).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil // the cluster has no autoscalers
	}
	if apierrors.IsForbidden(err) {
		d.kube.Options.Log.Warn("autoscalers may not be listed: /spec/replicas is not corrected", "namespace", namespace)
	}
	if err != nil {
		return nil, kube.Classify("list the autoscalers in namespace "+namespace, err)
	}
	var all []autoscaled
	for _, hpa := range list.Items {
		all = append(all, autoscaled{hpa.Spec.ScaleTargetRef.Kind, hpa.Spec.ScaleTargetRef.Name})
	}
	return all, nil
}
