package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestServerSideApply: a release that Helm 4 applied server-side is refused, unless its label, or else the setting, says to take it over.
func TestServerSideApply(t *testing.T) {
	const (
		refused = "refuse: Helm 4 applied revision 7 server-side (apply_method: ssa in its record), and this agent, like Helm 3, applies client-side " +
			"and would drop that mark: go on with Helm 4, or have the agent take the release over with the label " +
			"helmfile-agent.github.io/adopt-server-side: \"true\" in the helmfile or with --adopt-server-side"
		taken = "; taken over from Helm 4, which applied revision 7 server-side: from now on it is applied client-side, and Helm 4 does the same " +
			"unless you tell it otherwise"
	)
	changed := next("web")
	changed.Manifest = release.Manifest{deployment(3)}
	drifted := []release.Drift{{ObjectKey: release.ObjectKey{Kind: "Deployment", Name: "web"}, Missing: true, Mode: release.CorrectDrift}}
	for name, test := range map[string]struct {
		status  string
		age     time.Duration
		state   release.DesiredState
		drifts  []release.Drift
		label   string
		setting bool
		next    release.Rendered
		want    string
	}{
		"as declared":                          {next: next("web"), want: refused},
		"an upgrade":                           {next: changed, want: refused},
		"a revision that failed":               {status: "failed", next: next("web"), want: refused},
		"a revision that was interrupted":      {status: "pending-upgrade", next: next("web"), want: refused},
		"drift to correct":                     {drifts: drifted, next: next("web"), want: refused},
		"the label says no":                    {label: "false", setting: true, next: changed, want: refused},
		"the label says yes":                   {label: "true", next: changed, want: "upgrade: templates changed: Deployment/web" + taken},
		"the setting says yes":                 {setting: true, next: changed, want: "upgrade: templates changed: Deployment/web" + taken},
		"taken over as declared":               {setting: true, next: next("web"), want: "upgrade: no object differs" + taken},
		"taken over with drift":                {setting: true, drifts: drifted, next: next("web"), want: "upgrade: no object differs" + taken},
		"taken over after a failure":           {status: "failed", setting: true, next: next("web"), want: "upgrade: last revision failed" + taken},
		"taken over after an interruption":     {status: "pending-upgrade", setting: true, next: next("web"), want: "upgrade: last revision has been pending-upgrade since 2026-03-01T11:00:00Z: it was interrupted" + taken},
		"taken over while Helm 4 is at work":   {status: "pending-upgrade", age: time.Minute, setting: true, next: next("web"), want: "refuse: revision 7 has been pending-upgrade since 2026-03-01T11:59:00Z: another Helm operation may be running; it counts as interrupted after 10m0s"},
		"a label that is no answer":            {label: "yes", next: next("web"), want: `refuse: its label helmfile-agent.github.io/adopt-server-side is "yes": use true or false`},
		"its end loses no mark":                {state: release.Absent, want: "uninstall: installed: false"},
		"what was uninstalled has no objects":  {status: "uninstalled", next: next("web"), want: "install: not installed yet"},
		"a release that is not selected stays": {state: release.Unselected, want: "leave: not selected"},
	} {
		t.Run(name, func(t *testing.T) {
			found, declared, p := have("web", "deployed"), want("web", release.Installed), policy
			found.ServerSide, found.Drifts = true, test.drifts
			if test.status != "" {
				found.Status = test.status
			}
			if test.age != 0 {
				found.Updated = noon.Add(-test.age)
			}
			if test.state != "" {
				declared.State = test.state
			}
			if test.label != "" {
				declared.Labels = map[string]string{release.AdoptServerSideLabel: test.label}
			}
			p.AdoptServerSide = test.setting
			got := Build([]release.Desired{declared}, []release.Observed{found}, []release.Rendered{test.next}, release.InstanceState{}, p, noon)
			if diff := cmp.Diff([]string{"web: " + test.want}, reasons(got)); diff != "" {
				t.Error(diff)
			}
			if got.Steps[0].Want.AdoptServerSide != (test.label == "true" || test.setting && test.label == "") {
				t.Errorf("the writer is told %t", got.Steps[0].Want.AdoptServerSide)
			}
		})
	}
}
