package state

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestALockIsTakenOverFromAPodThatHasEnded: never by guess.
func TestALockIsTakenOverFromAPodThatHasEnded(t *testing.T) {
	pod := func(uid string, phase corev1.PodPhase) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "agent-1", UID: types.UID(uid)}, Status: corev1.PodStatus{Phase: phase}}
	}
	for name, test := range map[string]struct {
		annotation string
		pod        *corev1.Pod
		err        error
		taken      bool
	}{
		"the pod is running":                  {"shop/agent-1/3f2a", pod("3f2a", corev1.PodRunning), nil, false},
		"the pod is being deleted":            {"shop/agent-1/3f2a", pod("3f2a", corev1.PodRunning), nil, false},
		"the pod has succeeded":               {"shop/agent-1/3f2a", pod("3f2a", corev1.PodSucceeded), nil, true},
		"the pod has failed":                  {"shop/agent-1/3f2a", pod("3f2a", corev1.PodFailed), nil, true},
		"the pod is gone":                     {"shop/agent-1/3f2a", nil, nil, true},
		"another pod has its name":            {"shop/agent-1/3f2a", pod("9999", corev1.PodRunning), nil, true},
		"the pod may not be read":             {"shop/agent-1/3f2a", nil, errors.New("forbidden"), false},
		"the Lease does not name a pod":       {"", nil, nil, false},
		"the Lease names half a pod":          {"shop/agent-1", nil, nil, false},
		"the Lease names a pod without a UID": {"shop/agent-1/", nil, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			who, seconds, transitions, now := "agent-1_k3j5h2x9", int32(60), int32(7), metav1.NowMicro()
			lease := &coordination.Lease{
				ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "agent", UID: "11111111-2222", Labels: map[string]string{"app.kubernetes.io/managed-by": "helmfile-agent", release.InstanceLabel: "agent"},
					Annotations: map[string]string{podAnnotation: test.annotation, "other": "stays"}},
				Spec: coordination.LeaseSpec{HolderIdentity: &who, LeaseDurationSeconds: &seconds, RenewTime: &now, LeaseTransitions: &transitions},
			}
			objects := []runtime.Object{lease}
			if test.pod != nil {
				objects = append(objects, test.pod)
			}
			client := fake.NewClientset(objects...)
			if test.err != nil {
				client.PrependReactor("get", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, test.err })
			}
			token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"kubernetes.io":{"namespace":"shop","pod":{"name":"agent-2","uid":"77"}}}`)) + ".x"
			s := New(&kube.Connection{Client: client, Namespace: "shop", Config: &rest.Config{BearerToken: token}, Options: kube.Options{Instance: "agent", Log: slog.New(slog.DiscardHandler)}})
			lock, err := s.Lock(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if known := lock.Lease(); known != (release.Lease{ID: "11111111", Holder: "k3j5h2x9", Held: !test.taken}) {
				t.Errorf("the plan knows %+v", known)
			}
			var ran release.Run
			err = s.WithLock(t.Context(), lock, func(ctx context.Context, run release.Run) error {
				ran = run
				held, err := client.CoordinationV1().Leases("shop").Get(ctx, "agent", metav1.GetOptions{})
				if err != nil || held.Annotations[podAnnotation] != "shop/agent-2/77" || held.Annotations["other"] != "stays" {
					t.Errorf("the Lease has the annotations %v: %v", held.Annotations, err)
				}
				return nil
			})
			if taken := err == nil; taken != test.taken || !taken && exit.Of(err) != exit.Locked {
				t.Errorf("taken over: %t, %v", taken, err)
			}
			if test.taken && (ran.Lease != "11111111" || ran.Transitions != 8 || len(ran.Holder) != idLength) {
				t.Errorf("the run is %+v", ran)
			}
			if time.Since(lock.found) > time.Minute {
				t.Error("the test took too long to mean anything")
			}
		})
	}
}
