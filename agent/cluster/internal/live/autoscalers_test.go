package live

import (
	"errors"
	"log/slog"
	"testing"

	autoscaling "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestWhetherAnAutoscalerOwnsReplicas: what the agent may not know is treated as if there were an autoscaler.
func TestWhetherAnAutoscalerOwnsReplicas(t *testing.T) {
	resource := schema.GroupResource{Group: "autoscaling", Resource: "horizontalpodautoscalers"}
	autoscaler := &autoscaling.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "any"},
		Spec:       autoscaling.HorizontalPodAutoscalerSpec{ScaleTargetRef: autoscaling.CrossVersionObjectReference{Kind: "Deployment", Name: "web"}},
	}
	for name, test := range map[string]struct {
		of     string
		answer error
		scaled bool
		fails  bool
	}{
		"an autoscaler targets it":       {of: "web", scaled: true},
		"an autoscaler targets another":  {of: "db", scaled: false},
		"autoscalers may not be listed":  {of: "db", answer: apierrors.NewForbidden(resource, "", errors.New("no right")), scaled: true},
		"the cluster has no autoscalers": {of: "web", answer: apierrors.NewNotFound(resource, ""), scaled: false},
		"the API server does not answer": {of: "web", answer: errors.New("connection refused"), fails: true},
		"the API server is broken":       {of: "db", answer: apierrors.NewInternalError(errors.New("etcd is away")), fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset(autoscaler)
			requests := 0
			client.PrependReactor("list", resource.Resource, func(clienttesting.Action) (bool, runtime.Object, error) {
				requests++
				return test.answer != nil, nil, test.answer
			})
			c := &kube.Connection{Client: client, Options: kube.Options{Log: slog.New(slog.DiscardHandler)}}
			d := &driftDetector{Live: New(c, history.New(c))}
			at := target{Object: release.Object{ObjectKey: release.ObjectKey{Kind: "Deployment", Name: test.of}}, scope: kube.ResourceScope{Namespace: "shop"}}
			for range 2 {
				scaled, err := d.autoscaled(t.Context(), at)
				if (err != nil) != test.fails || scaled != test.scaled {
					t.Errorf("got %t, %v", scaled, err)
				}
			}
			if requests != 1 {
				t.Errorf("listed %d times", requests)
			}
		})
	}
}
