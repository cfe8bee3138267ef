package cluster

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Correct makes drifted objects what the last revision says: it re-creates what is missing and patches what differs. The
// release gets no new revision and no hook runs. One object that cannot be corrected does not keep the others from it.
func (w *Writer) Correct(ctx context.Context, have release.Observed, drifts []release.Drift) error {
	objects := byKey(have.Manifest)
	var errs []error
	for _, d := range drifts {
		if err := w.correct(ctx, have.Key, objects[d.ObjectKey], d); err != nil {
			errs = append(errs, fmt.Errorf("correct %s: %w", d.ObjectKey, RedactedError{err}))
		}
	}
	return errors.Join(errs...)
}

func (w *Writer) correct(ctx context.Context, key release.Key, object release.Object, d release.Drift) error {
	at, ok := w.c.ScopeOf(object, key.Namespace)
	if !ok {
		return errors.New("the cluster does not know this kind any more")
	}
	if d.Missing {
		content := unstructured.Unstructured{Object: owned(object, key).Content}
		_, err := at.Of(w.c.Dynamic).Create(ctx, &content, metav1.CreateOptions{FieldManager: fieldManager})
		return err
	}
	_, err := at.Of(w.c.Dynamic).Patch(ctx, d.Name, types.PatchType(d.Patch.Type), d.Patch.Data, metav1.PatchOptions{FieldManager: fieldManager})
	if apierrors.IsInvalid(err) {
		return fmt.Errorf("%w: a field cannot be changed in ResourceScope, and the agent never deletes what it finds: delete the object yourself, and the next run re-creates it", err)
	}
	return err
}
