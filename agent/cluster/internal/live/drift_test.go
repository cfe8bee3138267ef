package live

import (
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestObjectsThatAreNotCompared: none of these cases sends a request.
func TestObjectsThatAreNotCompared(t *testing.T) {
	off := map[string]any{release.DriftLabel: "off"}
	live := func(pairs map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: annotations(pairs)}
	}
	deleted := live(nil)
	deleted.SetDeletionTimestamp(&metav1.Time{Time: time.Unix(0, 0)})
	same := live(map[string]any{kube.NameAnnotation: "web", kube.NamespaceAnnotation: "shop"})
	job := object("batch/v1", "Job", map[string]any{"spec": map[string]any{"ttlSecondsAfterFinished": int64(9)}})
	for name, test := range map[string]struct {
		of   target
		live *unstructured.Unstructured
		want string
	}{
		"an object that does not exist":                         {object("v1", "ConfigMap", nil), nil, "missing"},
		"an object that does not exist, with drift warn":        {object("v1", "ConfigMap", annotations(map[string]any{release.DriftLabel: "warn"})), nil, "missing, mode warn"},
		"an object that does not exist, with drift off":         {object("v1", "ConfigMap", annotations(off)), nil, "same"},
		"a Job that Kubernetes deleted after its work":          {job, nil, "same"},
		"an object that the chart gives drift off":              {object("v1", "ConfigMap", annotations(off)), live(nil), "same"},
		"a live object that a person gave drift off":            {object("v1", "ConfigMap", nil), live(off), "same"},
		"an object that is being deleted":                       {object("v1", "ConfigMap", nil), deleted, "same"},
		"an object that was compared while the helmfile loaded": {object("v1", "ConfigMap", nil), same, "same"},
	} {
		t.Run(name, func(t *testing.T) {
			d := &driftDetector{Live: &Live{unchanged: map[*unstructured.Unstructured]release.Key{same: web}}}
			found, differs, err := d.driftOf(t.Context(), test.of, test.live)
			if err != nil {
				t.Fatal(err)
			}
			got := "same"
			if differs && found.Missing {
				got = "missing"
				if found.Mode != "" {
					got += ", mode " + string(found.Mode)
				}
			}
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestWhatTheServerRefuses(t *testing.T) {
	kind := schema.GroupResource{Resource: "configmaps"}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"a right is missing":         {apierrors.NewForbidden(kind, "a", errors.New("no right")), true},
		"a field is immutable":       {apierrors.NewInvalid(schema.GroupKind{Kind: "ConfigMap"}, "a", nil), true},
		"another client was faster":  {apierrors.NewConflict(kind, "a", errors.New("changed")), true},
		"the patch is wrong":         {apierrors.NewBadRequest("wrong"), true},
		"a webhook is out of order":  {apierrors.NewInternalError(errors.New("webhook")), true},
		"the object does not exist":  {apierrors.NewNotFound(kind, "a"), false},
		"the token is too old":       {apierrors.NewUnauthorized("old"), false},
		"the server has no time":     {apierrors.NewTooManyRequests("later", 1), false},
		"the server does not answer": {errors.New("connection refused"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := refusedByServer(test.err); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestWhetherAFieldDiffers(t *testing.T) {
	with := func(replicas any) map[string]any {
		return map[string]any{"spec": map[string]any{"replicas": replicas}}
	}
	for name, test := range map[string]struct {
		live, corrected map[string]any
		want            bool
	}{
		"other value":          {with(int64(1)), with(int64(2)), true},
		"same value":           {with(int64(1)), with(int64(1)), false},
		"only live":            {with(int64(1)), map[string]any{}, true},
		"only corrected":       {map[string]any{}, with(int64(1)), true},
		"neither":              {map[string]any{}, map[string]any{}, false},
		"nothing is corrected": {with(int64(1)), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := differsIn(test.live, test.corrected, "spec", "replicas"); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
