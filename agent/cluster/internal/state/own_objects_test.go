package state

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	coordination "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestForeignObjectsAreRefused: an object with the right name and without the right labels belongs to another application.
func TestForeignObjectsAreRefused(t *testing.T) {
	own := map[string]string{"app.kubernetes.io/managed-by": "helmfile-agent", release.InstanceLabel: "agent"}
	many := map[string]string{}
	for i := range 12 {
		many[fmt.Sprintf("label-%02d", i)] = "x"
	}
	for name, test := range map[string]struct {
		labels map[string]string
		holder string
		says   []string // nothing: the objects are the instance's own
	}{
		"its own":             {labels: own},
		"with more labels":    {labels: map[string]string{"app.kubernetes.io/managed-by": "helmfile-agent", release.InstanceLabel: "agent", "team": "blue"}},
		"without labels":      {says: []string{" does not belong to instance agent: it has no labels"}},
		"another application": {labels: map[string]string{"app": "controller"}, holder: "controller-7c9_1", says: []string{"the labels app=controller"}},
		"another instance": {labels: map[string]string{"app.kubernetes.io/managed-by": "helmfile-agent", release.InstanceLabel: "other"},
			says: []string{"the labels app.kubernetes.io/managed-by=helmfile-agent, helmfile-agent.github.io/instance=other"}},
		"many labels": {labels: many, says: []string{"label-09=x and 2 more"}},
	} {
		t.Run(name, func(t *testing.T) {
			lease := &coordination.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "agent", Labels: test.labels}}
			if test.holder != "" {
				lease.Spec.HolderIdentity = &test.holder
			}
			configMap := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "agent-state", Labels: test.labels}}
			_, lockErr := storeOf(lease).Lock(t.Context())
			_, stateErr := storeOf(configMap).LoadState(t.Context())
			expectRefusal(t, lockErr, test.says, "Lease shop/agent does ", test.holder)
			expectRefusal(t, stateErr, test.says, "ConfigMap shop/agent-state does ", "")
		})
	}
}

func storeOf(objects ...runtime.Object) *Store {
	return New(&kube.Connection{Client: fake.NewClientset(objects...), Config: &rest.Config{}, Namespace: "shop", Options: kube.Options{Instance: "agent", Log: slog.New(slog.DiscardHandler)}})
}

func expectRefusal(t *testing.T, err error, says []string, begins, holder string) {
	t.Helper()
	if len(says) == 0 {
		if err != nil {
			t.Error(err)
		}
		return
	}
	if exit.Of(err) != exit.ConfigInvalid || !strings.HasPrefix(err.Error(), begins) || holder != "" && !strings.Contains(err.Error(), "and is held by "+holder) {
		t.Fatalf("got %v", err)
	}
	for _, part := range append(says, "nothing was changed", "--instance") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("it does not say %q: %v", part, err)
		}
	}
}
