package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Remembered is an instance's memory as it was read: where it was read from decides whether it may be written back.
type Remembered struct {
	release.Memory
	// Lost says why a memory that is there could not be understood; nil otherwise.
	Lost error

	stored *corev1.ConfigMap // nil when there is none
}

const memoryKey = "memory.json"

// memoryName is the ConfigMap of an instance, in the agent's own namespace.
func (c *connection) memoryName() string { return c.opts.Instance + "-memory" }

// Remember reads the instance's memory. One that is not there, or not understood, is empty.
func (r *Reader) Remember(ctx context.Context) (Remembered, error) {
	stored, err := r.c.client.CoreV1().ConfigMaps(r.c.namespace).Get(ctx, r.c.memoryName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Remembered{}, nil
	}
	if err != nil {
		return Remembered{}, classify("read the memory of instance "+r.c.opts.Instance, err)
	}
	r.remembers = true
	memory, err := release.DecodeMemory(stored.Data[memoryKey])
	r.written = memory.Records
	return Remembered{Memory: memory, Lost: err, stored: stored}, nil
}

// remembering is the right to write the memory: releases that change are to be found again.
func (r *Reader) remembering() []right {
	verb := "create"
	if r.remembers {
		verb = "update"
	}
	return r.own("", "configmaps", r.c.memoryName(), verb)
}

// Differs says whether Memorize would write.
func (r Remembered) Differs(memory release.Memory) bool {
	encoded, err := memory.Encode()
	return err != nil || !r.same(encoded)
}

// Exists says whether there is a memory, understood or not.
func (r Remembered) Exists() bool { return r.stored != nil }

// Memorize writes the memory if it differs from what was read, and says whether it did. A memory that somebody else wrote
// meanwhile is left as it is: this run held the lock, so whoever did it does not ask for one, and the marks can wait.
func (w *Writer) Memorize(ctx context.Context, was Remembered, memory release.Memory) (bool, error) {
	encoded, err := memory.Encode()
	if err != nil {
		return false, err
	}
	if was.same(encoded) {
		return false, nil
	}
	configMaps := w.c.client.CoreV1().ConfigMaps(w.c.namespace)
	if was.stored == nil {
		_, err = configMaps.Create(ctx, w.memory(encoded), metav1.CreateOptions{})
	} else {
		updated := was.stored.DeepCopy()
		updated.Data = map[string]string{memoryKey: encoded}
		_, err = configMaps.Update(ctx, updated, metav1.UpdateOptions{}) // its resourceVersion is the lock
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		return false, exit.With(exit.Locked, fmt.Errorf("write the memory of instance %s: somebody who does not hold the lock changed it meanwhile, and the next run goes on from there: %w", w.c.opts.Instance, err))
	}
	return err == nil, classify("write the memory of instance "+w.c.opts.Instance, err)
}

// same says whether there is nothing to write; an empty memory that was never written need not be.
func (r Remembered) same(encoded string) bool {
	if r.stored != nil {
		return r.stored.Data[memoryKey] == encoded
	}
	empty, err := release.Memory{}.Encode()
	return err == nil && encoded == empty
}

func (w *Writer) memory(encoded string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name:      w.c.memoryName(),
			Namespace: w.c.namespace,
			Labels: map[string]string{
				"app.kubernetes.io/managed-by": "helmfile-agent",
				release.InstanceLabel:          w.c.opts.Instance,
			},
		},
		Data: map[string]string{memoryKey: encoded},
	}
}

// Forget removes the memory, and has the lock removed once it is given back: the instance is destroyed.
func (w *Writer) Forget(ctx context.Context) error {
	w.forgets = true
	err := w.c.client.CoreV1().ConfigMaps(w.c.namespace).Delete(ctx, w.c.memoryName(), metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return classify("remove the memory of instance "+w.c.opts.Instance, err)
}
