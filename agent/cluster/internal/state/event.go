package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// announceTimeout bounds what is only for information.
const announceTimeout = 10 * time.Second

// Announce writes Events beside the releases. They are for information: one that cannot be written is logged, and the same
// one is not written again while it lives, an hour by default.
func (s *Store) Announce(ctx context.Context, events []release.Event) {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	for _, event := range events {
		_, err := s.kube.Client.CoreV1().Events(event.Namespace).Create(ctx, s.event(event), metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			s.kube.Options.Log.Warn("event not written", "release", event.Key.String(), "reason", event.Reason, "error", err)
		}
	}
}

// event is about the release's storage record: a release has no other object of its own. Its name is made from all that
// it says, so that it exists once.
func (s *Store) event(e release.Event) *corev1.Event {
	now := metav1.Now()
	kind := corev1.EventTypeNormal
	if e.Warning {
		kind = corev1.EventTypeWarning
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d %s %s", s.kube.Options.Instance, e.Key, e.Revision, e.Reason, e.Message))
	return &corev1.Event{
		ObjectMeta:          metav1.ObjectMeta{Name: fmt.Sprintf("%s.%s", e.Name, hex.EncodeToString(sum[:8])), Namespace: e.Namespace},
		InvolvedObject:      corev1.ObjectReference{APIVersion: "v1", Kind: "Secret", Namespace: e.Namespace, Name: kube.RecordName(e.Key, e.Revision)},
		Type:                kind,
		Reason:              e.Reason,
		Message:             e.Message,
		Source:              corev1.EventSource{Component: "helmfile-agent"},
		ReportingController: "helmfile-agent.github.io/" + s.kube.Options.Instance,
		FirstTimestamp:      now,
		LastTimestamp:       now,
		Count:               1,
	}
}
