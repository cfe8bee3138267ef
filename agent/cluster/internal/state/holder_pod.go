package state

import (
	"context"
	"maps"

	coordination "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
)

// podAnnotation of a Lease is the pod of its holder, as namespace/name/uid. It is absent if the holder does not run in this cluster.
const podAnnotation = "helmfile-agent.github.io/pod"

// inThisPod notes the pod of this run on the Lease, in place of that of an earlier holder.
func (s *Store) inThisPod(lease *coordination.Lease) *coordination.Lease {
	annotations := maps.Clone(lease.Annotations)
	delete(annotations, podAnnotation)
	if pod, ok := s.kube.OwnPod(); ok {
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[podAnnotation] = pod.String()
	}
	lease.Annotations = annotations
	return lease
}

// holderHasEnded says whether the pod of the Lease's holder has ended or is gone. A holder whose pod is not known, or may not be read, counts
// as alive until the Lease expires.
func (s *Store) holderHasEnded(ctx context.Context, lease *coordination.Lease) bool {
	holder, ok := kube.ParsePod(lease.Annotations[podAnnotation])
	if !ok {
		return false
	}
	pod, err := s.kube.Client.CoreV1().Pods(holder.Namespace).Get(ctx, holder.Name, metav1.GetOptions{})
	log := s.kube.Options.Log.With("lease", s.kube.LeaseName(), "holder", holderOf(lease), "pod", holder.String())
	switch {
	case apierrors.IsNotFound(err):
		log.Info("the pod that holds the lock is gone")
		return true
	case err != nil:
		log.Debug("the pod that holds the lock cannot be read", "error", err)
		return false
	case string(pod.UID) != holder.UID:
		log.Info("the pod that holds the lock is gone, and another one has its name")
		return true
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		log.Info("the pod that holds the lock has ended", "phase", pod.Status.Phase)
		return true
	}
	return false
}
