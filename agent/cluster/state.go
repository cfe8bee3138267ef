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

// State is an instance's memory as it was read: where it was read from decides whether it may be written back.
type State struct {
	release.Memory
	// Lost says why a memory that is there could not be understood; nil otherwise.
	Lost error

	stored *corev1.ConfigMap // nil when there is none
}

const memoryKey = "memory.json"

// StateName is the ConfigMap of an instance, in the agent's own namespace.
func (c *Connection) StateName() string { return c.Options.Instance + "-memory" }

// Remember reads the instance's memory. One that is not there, or not understood, is empty.
func (r *Reader) LoadState(ctx context.Context) (State, error) {
	stored, err := r.c.Client.CoreV1().ConfigMaps(r.c.Namespace).Get(ctx, r.c.StateName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return State{}, nil
	}
	if err != nil {
		return State{}, Classify("read the memory of instance "+r.c.Options.Instance, err)
	}
	r.remembers = true
	memory, err := release.DecodeMemory(stored.Data[memoryKey])
	r.written = memory.Records
	return State{Memory: memory, Lost: err, stored: stored}, nil
}

// remembering is the right to write the memory: releases that change are to be found again.
func (r *Reader) stateRights() []right {
	verb := "create"
	if r.remembers {
		verb = "update"
	}
	return r.own("", "configmaps", r.c.StateName(), verb)
}

// Differs says whether SaveState would write.
func (r State) Differs(memory release.Memory) bool {
	encoded, err := memory.Encode()
	return err != nil || !r.same(encoded)
}

// Exists says whether there is a memory, understood or not.
func (r State) Exists() bool { return r.stored != nil }

// SaveState writes the memory if it differs from what was read, and says whether it did. A memory that somebody else wrote
// meanwhile is left as it is: this run held the lock, so whoever did it does not ask for one, and the marks can wait.
func (w *Writer) SaveState(ctx context.Context, was State, memory release.Memory) (bool, error) {
	encoded, err := memory.Encode()
	if err != nil {
		return false, err
	}
	if was.same(encoded) {
		return false, nil
	}
	configMaps := w.c.Client.CoreV1().ConfigMaps(w.c.Namespace)
	if was.stored == nil {
		_, err = configMaps.Create(ctx, w.memory(encoded), metav1.CreateOptions{})
	} else {
		updated := was.stored.DeepCopy()
		updated.Data = map[string]string{memoryKey: encoded}
		_, err = configMaps.Update(ctx, updated, metav1.UpdateOptions{}) // its resourceVersion is the lock
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		return false, exit.With(exit.Locked, fmt.Errorf("write the memory of instance %s: somebody who does not hold the lock changed it meanwhile, and the next run goes on from there: %w", w.c.Options.Instance, err))
	}
	return err == nil, Classify("write the memory of instance "+w.c.Options.Instance, err)
}

// same says whether there is nothing to write; an empty memory that was never written need not be.
func (r State) same(encoded string) bool {
	if r.stored != nil {
		return r.stored.Data[memoryKey] == encoded
	}
	empty, err := release.Memory{}.Encode()
	return err == nil && encoded == empty
}

func (w *Writer) memory(encoded string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name:      w.c.StateName(),
			Namespace: w.c.Namespace,
			Labels: map[string]string{
				"app.kubernetes.io/managed-by": "helmfile-agent",
				release.InstanceLabel:          w.c.Options.Instance,
			},
		},
		Data: map[string]string{memoryKey: encoded},
	}
}

// Forget removes the memory, and has the lock removed once it is given back: the instance is destroyed.
func (w *Writer) DeleteState(ctx context.Context) error {
	w.forgets = true
	err := w.c.Client.CoreV1().ConfigMaps(w.c.Namespace).Delete(ctx, w.c.StateName(), metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return Classify("remove the memory of instance "+w.c.Options.Instance, err)
}
