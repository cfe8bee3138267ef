package plan

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestVerbOfADeclaredRelease(t *testing.T) {
	const installed, absent, disabled, unselected = release.Installed, release.Absent, release.Disabled, release.Unselected
	const noRelease = "" // a status: Helm's storage has no such release
	broken := errors.New("the patch does not apply")
	failing := next("web")
	failing.Err = errors.New("no such chart")
	changed := next("web")
	changed.Manifest = release.Manifest{deployment(2)}
	same := next("web")

	for name, test := range map[string]struct {
		state  release.DesiredState
		broken error
		status string
		next   *release.Rendered
		want   string
	}{
		"that is not installed is installed":                                      {installed, nil, noRelease, &same, "install: not installed yet"},
		"that was uninstalled with --keep-history is installed":                   {installed, nil, "uninstalled", &same, "install: not installed yet"},
		"that is as declared is unchanged":                                        {installed, nil, "deployed", &same, "unchanged: as declared"},
		"that differs is upgraded":                                                {installed, nil, "deployed", &changed, "upgrade: templates changed: Deployment/web"},
		"that failed is upgraded even if nothing differs":                         {installed, nil, "failed", &same, "upgrade: last revision failed"},
		"of an unknown status is upgraded":                                        {installed, nil, "unknown", &same, "upgrade: last revision has been unknown since 2026-03-01T11:00:00Z: it was interrupted"},
		"whose newest revision is superseded is upgraded":                         {installed, nil, "superseded", &same, "upgrade: last revision superseded"},
		"that helmfile could not prepare is refused":                              {installed, broken, "deployed", &same, "refuse: the patch does not apply"},
		"that helmfile could not prepare and that is not installed is refused":    {installed, broken, noRelease, nil, "refuse: the patch does not apply"},
		"that does not render is refused":                                         {installed, nil, "deployed", &failing, "refuse: no such chart"},
		"that does not render and is not installed is refused":                    {installed, nil, noRelease, &failing, "refuse: no such chart"},
		"that failed and does not render is refused":                              {installed, nil, "failed", &failing, "refuse: no such chart"},
		"that was not rendered is refused":                                        {installed, nil, "deployed", nil, "refuse: it was not rendered"},
		"with installed: false is uninstalled":                                    {absent, nil, "deployed", nil, "uninstall: installed: false"},
		"with installed: false is uninstalled when failed":                        {absent, nil, "failed", nil, "uninstall: installed: false"},
		"with installed: false is uninstalled when an uninstall was interrupted":  {absent, nil, "uninstalling", nil, "uninstall: installed: false"},
		"with installed: false is uninstalled when helmfile could not prepare it": {absent, broken, "deployed", nil, "uninstall: installed: false"},
		"with installed: false that is not installed is unchanged":                {absent, nil, noRelease, nil, "unchanged: installed: false"},
		"with installed: false that was uninstalled is unchanged":                 {absent, nil, "uninstalled", nil, "unchanged: installed: false"},
		"that is disabled is left":                                                {disabled, nil, "deployed", nil, "leave: disabled by its condition"},
		"that is disabled is not installed":                                       {disabled, nil, noRelease, nil, "leave: disabled by its condition"},
		"that is disabled is left even if helmfile could not prepare it":          {disabled, broken, "failed", nil, "leave: disabled by its condition"},
		"that is not selected is left":                                            {unselected, nil, "failed", &changed, "leave: not selected"},
		"that is not selected is not installed":                                   {unselected, nil, noRelease, nil, "leave: not selected"},
	} {
		t.Run(name, func(t *testing.T) {
			declared := want("web", test.state)
			declared.Broken = test.broken
			var found []release.Observed
			if test.status != noRelease {
				found = append(found, have("web", test.status))
			}
			var rendered []release.Rendered
			if test.next != nil {
				rendered = append(rendered, *test.next)
			}
			got := reasons(Build([]release.Desired{declared}, found, rendered, release.InstanceState{}, policy, noon))
			if diff := cmp.Diff([]string{"web: " + test.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPendingRevision(t *testing.T) {
	for name, test := range map[string]struct {
		status string
		age    time.Duration
		want   string
	}{
		"that is young may still be in progress": {"pending-upgrade", 9 * time.Minute,
			"refuse: revision 7 has been pending-upgrade since 2026-03-01T11:51:00Z: another Helm operation may be running; it counts as interrupted after 10m0s"},
		"that is old was interrupted": {"pending-upgrade", 11 * time.Minute,
			"upgrade: last revision has been pending-upgrade since 2026-03-01T11:49:00Z: it was interrupted"},
		"that is as old as the limit was interrupted": {"pending-install", 10 * time.Minute,
			"install: last revision has been pending-install since 2026-03-01T11:50:00Z: it was interrupted"},
		"of a rollback follows the same rule": {"pending-rollback", time.Hour,
			"upgrade: last revision has been pending-rollback since 2026-03-01T11:00:00Z: it was interrupted"},
		"of an uninstall follows the same rule": {"uninstalling", time.Minute,
			"refuse: revision 7 has been uninstalling since 2026-03-01T11:59:00Z: another Helm operation may be running; it counts as interrupted after 10m0s"},
		"with a time in the future is young": {"pending-install", -time.Minute,
			"refuse: revision 7 has been pending-install since 2026-03-01T12:01:00Z: another Helm operation may be running; it counts as interrupted after 10m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			found := have("web", test.status)
			found.Updated = noon.Add(-test.age).In(time.FixedZone("elsewhere", 3600))
			p := Build([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{next("web")}, release.InstanceState{}, policy, noon)
			if diff := cmp.Diff([]string{"web: " + test.want}, reasons(p)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAPendingRevisionMayBelongToAnotherHelmClient: another client may take as long as the release's timeout or Helm's default.
func TestAPendingRevisionMayBelongToAnotherHelmClient(t *testing.T) {
	for name, test := range map[string]struct {
		run, release, age time.Duration
		want              Verb
	}{
		"shorter than a run of the agent":    {10 * time.Minute, 0, 9 * time.Minute, Refuse},
		"as long as a run of the agent":      {10 * time.Minute, 0, 10 * time.Minute, Upgrade},
		"as long as Helm's default":          {time.Minute, 0, 5 * time.Minute, Refuse},
		"longer than Helm's default":         {time.Minute, 0, 6 * time.Minute, Upgrade},
		"shorter than the release's timeout": {time.Minute, time.Hour, 59 * time.Minute, Refuse},
		"longer than the release's timeout":  {time.Minute, time.Hour, 61 * time.Minute, Upgrade},
	} {
		t.Run(name, func(t *testing.T) {
			found, declared, p := have("web", "pending-upgrade"), want("web", release.Installed), policy
			found.Updated, declared.Options.Timeout, p.AbandonedAfter = noon.Add(-test.age), test.release, test.run
			got := Build([]release.Desired{declared}, []release.Observed{found}, []release.Rendered{next("web")}, release.InstanceState{}, p, noon)
			if got.Steps[0].Verb != test.want {
				t.Error(reasons(got))
			}
		})
	}
}

func TestTheReasonNamesTheCRDsOfAChart(t *testing.T) {
	withCRDs := next("web")
	withCRDs.CRDs = release.Manifest{object("apiextensions.k8s.io/v1", "CustomResourceDefinition/kinds.example.com", nil)}
	p := Build([]release.Desired{want("web", release.Installed)}, nil, []release.Rendered{withCRDs}, release.InstanceState{}, policy, noon)
	if diff := cmp.Diff([]string{"web: install: not installed yet; installs the CRDs kinds.example.com"}, reasons(p)); diff != "" {
		t.Error(diff)
	}
}

func TestUndeclaredReleases(t *testing.T) {
	p := Build(
		[]release.Desired{want("disabled", release.Disabled), want("unselected", release.Unselected), want("absent", release.Absent)},
		[]release.Observed{
			have("lost", "deployed"), have("lost-and-failed", "failed"), have("gone", "uninstalled"),
			have("disabled", "deployed"), have("unselected", "deployed"), have("absent", "uninstalled"),
			ownedBy("theirs", have("foreign", "deployed")), ownedBy("", have("unowned", "deployed")), have("other/disabled", "deployed"),
		},
		nil, release.InstanceState{}, policy, noon)
	want := []string{
		"disabled: mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z", // the one in namespace other
		"absent: unchanged: installed: false",
		"disabled: leave: disabled by its condition",
		"lost: mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z",
		"lost-and-failed: mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z",
		"unselected: leave: not selected",
	}
	if diff := cmp.Diff(want, reasons(p)); diff != "" {
		t.Error(diff)
	}
}

func TestOwnership(t *testing.T) {
	const installed, absent, disabled, unselected = release.Installed, release.Absent, release.Disabled, release.Unselected
	const foreign = "refuse: instance theirs owns this release, and this agent is instance mine: only one of them may declare it"
	elsewhere := have("web", "deployed")
	elsewhere.Origin = "elsewhere"
	noOrigin := have("web", "deployed")
	noOrigin.Origin = ""
	withKeep := have("web", "deployed")
	withKeep.Keep = true
	annotated := have("web", "deployed")
	annotated.KeptByHand = true
	old := have("web", "deployed")
	old.Origin, old.Manifest = "elsewhere", release.Manifest{deployment(2)}
	keep := want("web", installed)
	keep.Labels = map[string]string{release.PruneLabel: release.KeepValue}
	driftOff := want("web", installed)
	driftOff.Labels = map[string]string{release.DriftLabel: "off"}
	hasDriftOff := have("web", "deployed")
	hasDriftOff.DriftOff = true
	otherLabel := want("web", installed)
	otherLabel.Labels = map[string]string{release.PruneLabel: "never"}

	for name, test := range map[string]struct {
		want release.Desired
		have release.Observed
		plan string
	}{
		"a release of the instance itself is unchanged":                                    {want("web", installed), have("web", "deployed"), "unchanged: as declared"},
		"a release of no instance is adopted":                                              {want("web", installed), ownedBy("", have("web", "deployed")), "adopt: as declared, but no instance owns it yet"},
		"a release of another origin is adopted":                                           {want("web", installed), elsewhere, "adopt: as declared; its repository, path or environment has changed"},
		"a release of unknown origin is adopted":                                           {want("web", installed), noOrigin, "adopt: as declared; its repository, path or environment has changed"},
		"a release that gets the label keep is adopted":                                    {keep, have("web", "deployed"), "adopt: as declared; its setting to keep it or to ignore drift has changed"},
		"a release that loses the label keep is adopted":                                   {want("web", installed), withKeep, "adopt: as declared; its setting to keep it or to ignore drift has changed"},
		"a release that has the label keep already is unchanged":                           {keep, withKeep, "unchanged: as declared"},
		"a release that gets the label drift=off is adopted":                               {driftOff, have("web", "deployed"), "adopt: as declared; its setting to keep it or to ignore drift has changed"},
		"a release that has the label drift=off already is unchanged":                      {driftOff, hasDriftOff, "unchanged: as declared"},
		"a release with the annotation keep is unchanged":                                  {want("web", installed), annotated, "unchanged: as declared"},
		"a release with another value of the label is unchanged":                           {otherLabel, have("web", "deployed"), "unchanged: as declared"},
		"a release of another origin that differs is upgraded":                             {want("web", installed), old, "upgrade: templates changed: Deployment/web"},
		"a release of another instance is refused":                                         {want("web", installed), ownedBy("theirs", have("web", "deployed")), foreign},
		"a release of another instance that failed is refused":                             {want("web", installed), ownedBy("theirs", have("web", "failed")), foreign},
		"a release of another instance with installed: false is refused":                   {want("web", absent), ownedBy("theirs", have("web", "deployed")), foreign},
		"a release of another instance that is disabled is left":                           {want("web", disabled), ownedBy("theirs", have("web", "deployed")), "leave: disabled by its condition"},
		"a release of another instance that is not selected is left":                       {want("web", unselected), ownedBy("theirs", have("web", "deployed")), "leave: not selected"},
		"a release that another instance uninstalled is installed":                         {want("web", installed), ownedBy("theirs", have("web", "uninstalled")), "install: not installed yet"},
		"a release that another instance uninstalled, with installed: false, is unchanged": {want("web", absent), ownedBy("theirs", have("web", "uninstalled")), "unchanged: installed: false"},
	} {
		t.Run(name, func(t *testing.T) {
			p := Build([]release.Desired{test.want}, []release.Observed{test.have}, []release.Rendered{next("web")}, release.InstanceState{}, policy, noon)
			if diff := cmp.Diff([]string{"web: " + test.plan}, reasons(p)); diff != "" {
				t.Error(diff)
			}
			owner := release.Owner{
				Instance: "mine", Origin: "origin",
				Keep:     test.want.Labels[release.PruneLabel] == release.KeepValue,
				DriftOff: test.want.Labels[release.DriftLabel] == "off",
			}
			if diff := cmp.Diff(owner, p.Steps[0].Owner); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAStepPointsToItsInput(t *testing.T) {
	wanted := []release.Desired{want("db", release.Installed), want("web", release.Installed)}
	found := []release.Observed{have("lost", "deployed"), have("web", "deployed")}
	rendered := []release.Rendered{next("web"), next("db")}
	got := Build(wanted, found, rendered, release.InstanceState{}, policy, noon).Steps
	same := []bool{
		got[0].Want == &wanted[0] && got[0].Have == nil && got[0].Next == &rendered[1],       // db
		got[1].Want == nil && got[1].Have == &found[0] && got[1].Next == nil,                 // lost
		got[2].Want == &wanted[1] && got[2].Have == &found[1] && got[2].Next == &rendered[0], // web
	}
	if diff := cmp.Diff([]bool{true, true, true}, same); diff != "" {
		t.Error(diff)
	}
}

func TestVerbsThatWrite(t *testing.T) {
	var p Plan
	for _, verb := range []Verb{Install, Upgrade, Uninstall, Adopt, Unchanged, Leave, Mark, Prune, Orphan, Hold, Refuse} {
		p.Steps = append(p.Steps, Step{Verb: verb})
	}
	var got []Verb
	for _, step := range p.Changes() {
		got = append(got, step.Verb)
	}
	if diff := cmp.Diff([]Verb{Install, Upgrade, Uninstall, Adopt, Prune}, got); diff != "" {
		t.Error(diff)
	}
}
