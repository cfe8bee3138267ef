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

// State is an instance's state as it was read. SaveState writes it only if it has not changed in the cluster since.
type State struct {
	release.InstanceState
	// Lost says why the stored state could not be decoded; nil otherwise.
	Lost error

	stored *corev1.ConfigMap // nil when there is none
}

const stateKey = "state.json"

// LoadState reads the instance's state. It is empty when there is none, or when it cannot be decoded.
func (s *Store) LoadState(ctx context.Context) (State, error) {
	stored, err := s.kube.Client.CoreV1().ConfigMaps(s.kube.Namespace).Get(ctx, s.kube.StateName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return State{}, nil
	}
	if err != nil {
		return State{}, kube.Classify("read the state of instance "+s.kube.Options.Instance, err)
	}
	if err := s.checkOwn("ConfigMap", stored, ""); err != nil {
		return State{}, err
	}
	decoded, err := release.DecodeState(stored.Data[stateKey])
	return State{InstanceState: decoded, Lost: err, stored: stored}, nil
}

// Differs says whether SaveState would write.
func (s State) Differs(memory release.InstanceState) bool {
	encoded, err := memory.Encode()
	return err != nil || !s.same(encoded)
}

// Exists says whether there is a stored state, decoded or not.
func (s State) Exists() bool { return s.stored != nil }

// SaveState writes the state if it differs from what was read, and says whether it did. When another client has written the state
// since, the error carries exit.Locked and the stored state stays.
func (s *Store) SaveState(ctx context.Context, was State, next release.InstanceState) (bool, error) {
	encoded, err := next.Encode()
	if err != nil {
		return false, err
	}
	if was.same(encoded) {
		return false, nil
	}
	configMaps := s.kube.Client.CoreV1().ConfigMaps(s.kube.Namespace)
	if was.stored == nil {
		_, err = configMaps.Create(ctx, s.configMap(encoded), metav1.CreateOptions{})
	} else {
		updated := was.stored.DeepCopy()
		updated.Data = map[string]string{stateKey: encoded}
		_, err = configMaps.Update(ctx, updated, metav1.UpdateOptions{}) // its resourceVersion is the lock
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		return false, exit.With(exit.Locked, fmt.Errorf("write the state of instance %s: another client, which does not hold the lock, changed it during this run; the next run continues from there: %w", s.kube.Options.Instance, err))
	}
	return err == nil, kube.Classify("write the state of instance "+s.kube.Options.Instance, err)
}

// same says whether there is nothing to write. An empty state that was never stored is not written.
func (s State) same(encoded string) bool {
	if s.stored != nil {
		return s.stored.Data[stateKey] == encoded
	}
	empty, err := release.InstanceState{}.Encode()
	return err == nil && encoded == empty
}

func (s *Store) configMap(encoded string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name:      s.kube.StateName(),
			Namespace: s.kube.Namespace,
			Labels:    s.ownLabels(),
		},
		Data: map[string]string{stateKey: encoded},
	}
}

// DeleteState deletes the state, and has the Lease deleted when the lock is released: the instance is destroyed.
func (s *Store) DeleteState(ctx context.Context) error {
	s.deleted = true
	err := s.kube.Client.CoreV1().ConfigMaps(s.kube.Namespace).Delete(ctx, s.kube.StateName(), metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return kube.Classify("remove the state of instance "+s.kube.Options.Instance, err)
}
