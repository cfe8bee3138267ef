package state

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Store keeps the state, the lock and the Events of one instance.
type Store struct {
	kube    *kube.Connection
	deleted bool // the state was deleted, and the Lease must be deleted with it
}

// New keeps them in the agent's own namespace.
func New(c *kube.Connection) *Store { return &Store{kube: c} }

// State is an instance's memory as it was read: where it was read from decides whether it may be written back.
type State struct {
	release.Memory
	// Lost says why a memory that is there could not be understood; nil otherwise.
	Lost error

	stored *corev1.ConfigMap // nil when there is none
}

const memoryKey = "memory.json"

// Remember reads the instance's memory. One that is not there, or not understood, is empty.
func (s *Store) LoadState(ctx context.Context) (State, error) {
	stored, err := s.kube.Client.CoreV1().ConfigMaps(s.kube.Namespace).Get(ctx, s.kube.StateName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return State{}, nil
	}
	if err != nil {
		return State{}, kube.Classify("read the memory of instance "+s.kube.Options.Instance, err)
	}
	memory, err := release.DecodeMemory(stored.Data[memoryKey])
	return State{Memory: memory, Lost: err, stored: stored}, nil
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
func (s *Store) SaveState(ctx context.Context, was State, memory release.Memory) (bool, error) {
	encoded, err := memory.Encode()
	if err != nil {
		return false, err
	}
	if was.same(encoded) {
		return false, nil
	}
	configMaps := s.kube.Client.CoreV1().ConfigMaps(s.kube.Namespace)
	if was.stored == nil {
		_, err = configMaps.Create(ctx, s.memory(encoded), metav1.CreateOptions{})
	} else {
		updated := was.stored.DeepCopy()
		updated.Data = map[string]string{memoryKey: encoded}
		_, err = configMaps.Update(ctx, updated, metav1.UpdateOptions{}) // its resourceVersion is the lock
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		return false, exit.With(exit.Locked, fmt.Errorf("write the memory of instance %s: somebody who does not hold the lock changed it meanwhile, and the next run goes on from there: %w", s.kube.Options.Instance, err))
	}
	return err == nil, kube.Classify("write the memory of instance "+s.kube.Options.Instance, err)
}

// same says whether there is nothing to write; an empty memory that was never written need not be.
func (r State) same(encoded string) bool {
	if r.stored != nil {
		return r.stored.Data[memoryKey] == encoded
	}
	empty, err := release.Memory{}.Encode()
	return err == nil && encoded == empty
}

func (s *Store) memory(encoded string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name:      s.kube.StateName(),
			Namespace: s.kube.Namespace,
			Labels: map[string]string{
				"app.kubernetes.io/managed-by": "helmfile-agent",
				release.InstanceLabel:          s.kube.Options.Instance,
			},
		},
		Data: map[string]string{memoryKey: encoded},
	}
}

// Forget removes the memory, and has the lock removed once it is given back: the instance is destroyed.
func (s *Store) DeleteState(ctx context.Context) error {
	s.deleted = true
	err := s.kube.Client.CoreV1().ConfigMaps(s.kube.Namespace).Delete(ctx, s.kube.StateName(), metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return kube.Classify("remove the memory of instance "+s.kube.Options.Instance, err)
}
