package history

import (
	"encoding/json"
	"testing"
	"time"

	helm "helm.sh/helm/v3/pkg/release"
	helmtime "helm.sh/helm/v3/pkg/time"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

var thisRun = release.Run{Lease: "3f2a9c1d", Transitions: 2147483647, Holder: "k3j5h2x9"}

// TestOnlyTheWriteOfARunBearsItsLabel: Helm's own command line copies labels, and keeps them when it changes a status.
func TestOnlyTheWriteOfARunBearsItsLabel(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*helm.Release)
		own    bool
	}{
		"as it was written":                     {func(*helm.Release) {}, true},
		"after a round trip through JSON":       {throughJSON, true},
		"with another description":              {func(r *helm.Release) { r.Info.Description = "other" }, true},
		"copied to the next revision":           {func(r *helm.Release) { r.Version++ }, false},
		"uninstalled by another client":         {func(r *helm.Release) { r.Info.Status = helm.StatusUninstalling }, false},
		"made again by another client":          {func(r *helm.Release) { r.Info.LastDeployed = helmtime.Now().Add(time.Second) }, false},
		"uninstalled a second time by a client": {func(r *helm.Release) { r.Info.Deleted = helmtime.Now() }, false},
		"with another operation in the label":   {relabel("3f2a9c1d.2147483647.k3j5h2x9.install"), false},
		"with another holder in the label":      {relabel("3f2a9c1d.2147483647.aaaaaaaa.upgrade"), false},
		"with a label that says something else": {func(r *helm.Release) { r.Labels[RunLabel] = "x" }, false},
		"with a label without a number":         {relabel("3f2a9c1d.x.k3j5h2x9.upgrade"), false},
		"without the label":                     {func(r *helm.Release) { r.Labels = nil }, false},
		"without labels, a status and a time":   {func(r *helm.Release) { *r = helm.Release{Info: &helm.Info{}} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			revision := &helm.Release{Version: 2, Info: &helm.Info{Status: helm.StatusPendingUpgrade, LastDeployed: helmtime.Now()}}
			SetRun(revision, thisRun, release.Upgrading)
			if problems := validation.IsValidLabelValue(revision.Labels[RunLabel]); len(problems) > 0 {
				t.Errorf("%q is no label: %v", revision.Labels[RunLabel], problems)
			}
			test.change(revision)
			run, operation := RunOf(revision)
			if own := run == thisRun && operation == release.Upgrading; own != test.own || !own && (run != release.Run{} || operation != "") {
				t.Errorf("read %v %q", run, operation)
			}
		})
	}
}

func relabel(written string) func(*helm.Release) {
	return func(r *helm.Release) {
		r.Labels[RunLabel] = written + r.Labels[RunLabel][len(r.Labels[RunLabel])-sealLength-1:]
	}
}

func throughJSON(r *helm.Release) {
	labels := r.Labels
	encoded, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	*r = helm.Release{}
	if err := json.Unmarshal(encoded, r); err != nil {
		panic(err)
	}
	r.Labels = labels
}

func TestWhatWasInterrupted(t *testing.T) {
	failed := func(operation release.Operation) *helm.Release {
		r := &helm.Release{Version: 1, Info: &helm.Info{Status: helm.StatusFailed}}
		SetRun(r, thisRun, operation)
		return r
	}
	pending := func(status helm.Status) *helm.Release { return &helm.Release{Info: &helm.Info{Status: status}} }
	for name, test := range map[string]struct {
		revision *helm.Release
		want     release.Operation
	}{
		"an installation of any client":  {pending(helm.StatusPendingInstall), release.Installing},
		"an upgrade of any client":       {pending(helm.StatusPendingUpgrade), release.Upgrading},
		"a rollback of any client":       {pending(helm.StatusPendingRollback), release.RollingBack},
		"an uninstall of any client":     {pending(helm.StatusUninstalling), release.Uninstalling},
		"a failure":                      {failed(""), ""},
		"a failure of a stopped run":     {failed(release.Installing), release.Installing},
		"a failure of another client":    {pending(helm.StatusFailed), ""},
		"nothing":                        {pending(helm.StatusDeployed), ""},
		"what no Helm client ever wrote": {pending("nonsense"), ""},
	} {
		if got := Interrupted(test.revision); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
