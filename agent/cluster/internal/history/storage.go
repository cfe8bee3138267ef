package history

import (
	"context"

	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// storage is Helm's, for reading the current revisions in a namespace.
func (h *History) storage(ctx context.Context, namespace string) *driver.Secrets {
	secrets := driver.NewSecrets(current{h.kube.Client.CoreV1().Secrets(namespace), ctx, h.noteKept})
	secrets.Log = h.kube.Debugf
	return secrets
}

// current gives Helm's storage driver a context and spares it the superseded revisions: of ten that are kept, nine.
type current struct {
	typed.SecretInterface
	ctx  context.Context
	note func(corev1.Secret)
}

const recordsPerChunk = 250

func (c current) List(_ context.Context, opts metav1.ListOptions) (*corev1.SecretList, error) {
	opts.LabelSelector += ",status!=" + string(helm.StatusSuperseded)
	opts.Limit = recordsPerChunk
	all := &corev1.SecretList{}
	for {
		chunk, err := c.SecretInterface.List(c.ctx, opts)
		if err != nil {
			return nil, err
		}
		for _, item := range chunk.Items {
			c.note(item)
		}
		all.Items = append(all.Items, chunk.Items...)
		if opts.Continue = chunk.Continue; opts.Continue == "" {
			return all, nil
		}
	}
}

// noteKept looks at annotations, which Helm does not pass on.
func (h *History) noteKept(record corev1.Secret) {
	if record.Annotations[release.PruneLabel] == release.KeepValue {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.kept[record.Namespace+"/"+record.Name] = true
	}
}
