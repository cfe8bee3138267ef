package action

import (
	"testing"
	"time"

	helm "helm.sh/helm/v3/pkg/release"
	helmtime "helm.sh/helm/v3/pkg/time"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestWhichHookAnInterruptedRunHasLeft: an object of another client is never taken for it.
func TestWhichHookAnInterruptedRunHasLeft(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		change func(*metav1.ObjectMeta)
		left   bool
	}{
		"as the agent made it":      {func(*metav1.ObjectMeta) {}, true},
		"by a clock that is behind": {func(o *metav1.ObjectMeta) { o.CreationTimestamp = metav1.NewTime(began.Add(-50 * time.Second)) }, true},
		"with the release's annotation": {func(o *metav1.ObjectMeta) {
			o.Annotations[kube.NameAnnotation], o.Annotations[kube.NamespaceAnnotation] = "web", "shop"
		}, true},
		"made before the hook began": {func(o *metav1.ObjectMeta) { o.CreationTimestamp = metav1.NewTime(began.Add(-time.Hour)) }, false},
		"of another release":         {func(o *metav1.ObjectMeta) { o.Annotations[kube.NameAnnotation] = "db" }, false},
		"that is no hook":            {func(o *metav1.ObjectMeta) { o.Annotations = nil }, false},
		"with an owner":              {func(o *metav1.ObjectMeta) { o.OwnerReferences = []metav1.OwnerReference{{Name: "controller"}} }, false},
		"made by another client":     {func(o *metav1.ObjectMeta) { o.ManagedFields[0].Manager = "kubectl" }, false},
	} {
		live := metav1.ObjectMeta{
			Name: "migrate", CreationTimestamp: metav1.NewTime(began.Add(time.Second)), Annotations: map[string]string{helm.HookAnnotation: "pre-install"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: kube.FieldManager}},
		}
		test.change(&live)
		if left := (leftHook{"Job", "migrate", began}).made(&live, release.Key{Namespace: "shop", Name: "web"}); left != test.left {
			t.Errorf("%s: got %t", name, left)
		}
	}
}

func TestOnlyHooksThatHadBegunAreLeft(t *testing.T) {
	began := helmtime.Now()
	left := hooksLeftBy(&helm.Release{Hooks: []*helm.Hook{nil, {Kind: "Job", Name: "first", LastRun: helm.HookExecution{StartedAt: began}}, {Kind: "Job", Name: "second"}}})
	if len(left) != 1 || left[0] != (leftHook{"Job", "first", began.Time}) {
		t.Errorf("got %v", left)
	}
}

// TestAHookIsFoundInAnEarlierRevision that was interrupted, and rolled back since.
func TestAHookIsFoundInAnEarlierRevision(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	revision := func(status helm.Status, interrupted release.Operation, minutes int) *helm.Release {
		r := &helm.Release{Info: &helm.Info{Status: status}, Hooks: []*helm.Hook{{Kind: "Job", Name: "migrate",
			LastRun: helm.HookExecution{StartedAt: helmtime.Time{Time: began.Add(time.Duration(minutes) * time.Minute)}}}}}
		history.SetRun(r, release.Run{Lease: "lease", Holder: "dead"}, interrupted)
		return r
	}
	for name, test := range map[string]struct {
		revisions []*helm.Release
		found     bool
	}{
		"an interrupted upgrade, and its rollback":     {[]*helm.Release{revision(helm.StatusSuperseded, "", 1), revision(helm.StatusFailed, release.Upgrading, 2), revision(helm.StatusDeployed, "", 1)}, true},
		"an upgrade that failed":                       {[]*helm.Release{revision(helm.StatusFailed, "", 2), revision(helm.StatusDeployed, "", 1)}, false},
		"an interrupted upgrade, and a later one":      {[]*helm.Release{revision(helm.StatusFailed, release.Upgrading, 2), revision(helm.StatusDeployed, "", 3)}, false},
		"an interrupted upgrade, and this one":         {[]*helm.Release{revision(helm.StatusFailed, release.Upgrading, 2), revision(helm.StatusPendingUpgrade, "", 3)}, true},
		"this upgrade only":                            {[]*helm.Release{revision(helm.StatusPendingUpgrade, release.Upgrading, 3)}, false},
		"two interrupted upgrades":                     {[]*helm.Release{revision(helm.StatusFailed, release.Upgrading, 2), revision(helm.StatusFailed, release.Upgrading, 3)}, true},
		"an interrupted upgrade that did not reach it": {[]*helm.Release{{Info: &helm.Info{Status: helm.StatusFailed}}}, false},
	} {
		c := &ownedClient{revisions: func() ([]*helm.Release, error) { return test.revisions, nil }}
		if _, found, err := c.findLeft("Job", "migrate"); found != test.found || err != nil {
			t.Errorf("%s: found %t, %v", name, found, err)
		}
	}
}
