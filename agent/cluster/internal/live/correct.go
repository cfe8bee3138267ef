package live

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Corrector changes live objects to what the newest revision declares.
type Corrector struct{ kube *kube.Connection }

// NewCorrector returns a Corrector that writes through the connection.
func NewCorrector(c *kube.Connection) Corrector { return Corrector{c} }

// Correct re-creates missing objects and patches those that differ, as the newest revision declares them. The release gets no new
// revision and no hook runs. If one object cannot be corrected, Correct still corrects the others.
func (c Corrector) Correct(ctx context.Context, have release.Observed, drifts []release.Drift) error {
	objects := history.ByKey(have.Manifest)
	var errs []error
	for _, d := range drifts {
		if err := c.correct(ctx, have.Key, objects[d.ObjectKey], d); err != nil {
			errs = append(errs, fmt.Errorf("correct %s: %w", d.ObjectKey, kube.Redact(err)))
		}
	}
	return errors.Join(errs...)
}

func (c Corrector) correct(ctx context.Context, key release.Key, object release.Object, d release.Drift) error {
	at, ok := c.kube.ScopeOf(object, key.Namespace)
	if !ok {
		return errors.New("the cluster does not know this kind any more")
	}
	if d.Missing {
		content := unstructured.Unstructured{Object: owned(object, key).Content}
		_, err := at.Of(c.kube.Dynamic).Create(ctx, &content, metav1.CreateOptions{FieldManager: kube.FieldManager})
		return err
	}
	_, err := at.Of(c.kube.Dynamic).Patch(ctx, d.Name, types.PatchType(d.Patch.Type), d.Patch.Data, metav1.PatchOptions{FieldManager: kube.FieldManager})
	if apierrors.IsInvalid(err) {
		return fmt.Errorf("%w: a field cannot be changed in place, and the agent never deletes what it finds: delete the object yourself, and the next run re-creates it", err)
	}
	return err
}
