package action

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
)

// ensureNamespace creates a namespace only when it is missing: helmfile asks for it by default, but a tenant, who may not
// create any, usually works in one that exists. Each namespace is looked at once per run.
func (r *Releases) ensureNamespace(ctx context.Context, name string) error {
	once, _ := r.namespaces.LoadOrStore(name, sync.OnceValue(func() error { return r.createMissing(ctx, name) }))
	return once.(func() error)()
}

func (r *Releases) createMissing(ctx context.Context, name string) error {
	namespaces := r.kube.Client.CoreV1().Namespaces()
	_, err := namespaces.Get(ctx, name, metav1.GetOptions{})
	if err == nil || apierrors.IsForbidden(err) {
		return nil // who may not look at a namespace works in one that others made
	}
	if !apierrors.IsNotFound(err) {
		return kube.Classify("look for namespace "+name, err)
	}
	// Helm sets the same label when it creates a namespace.
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"name": name}}}
	_, err = namespaces.Create(ctx, namespace, metav1.CreateOptions{})
	switch {
	case err == nil || apierrors.IsAlreadyExists(err):
		return nil
	case apierrors.IsForbidden(err):
		return fmt.Errorf("namespace %s does not exist and the agent may not create it: a cluster administrator must run "+
			"`kubectl create namespace %s`, or set createNamespace: false once it exists: %w", name, name, err)
	default:
		return kube.Classify("create namespace "+name, err)
	}
}
