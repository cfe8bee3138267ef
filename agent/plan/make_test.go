package plan

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestARelease(t *testing.T) {
	const installed, absent, disabled, unselected = release.Installed, release.Absent, release.Disabled, release.Unselected
	const nowhere = "" // a status: Helm's storage knows no such release
	broken := errors.New("the patch does not apply")
	failing := next("web")
	failing.Err = errors.New("no such chart")
	changed := next("web")
	changed.Manifest = release.Manifest{deployment(2)}
	same := next("web")

	for name, test := range map[string]struct {
		state  release.State
		broken error
		status string
		next   *release.Rendered
		want   string
	}{
		"that is not there is installed":                       {installed, nil, nowhere, &same, "install: not installed yet"},
		"that was uninstalled with its history is installed":   {installed, nil, "uninstalled", &same, "install: not installed yet"},
		"that is as declared stays":                            {installed, nil, "deployed", &same, "unchanged: as declared"},
		"that differs is upgraded":                             {installed, nil, "deployed", &changed, "upgrade: templates changed: Deployment/web"},
		"that failed is upgraded even if nothing differs":      {installed, nil, "failed", &same, "upgrade: last revision failed"},
		"of an unknown status is upgraded":                     {installed, nil, "unknown", &same, "upgrade: last revision unknown since 2026-03-01T11:00:00Z, interrupted"},
		"that is superseded by nothing is upgraded":            {installed, nil, "superseded", &same, "upgrade: last revision superseded"},
		"that is broken is refused":                            {installed, broken, "deployed", &same, "refuse: the patch does not apply"},
		"that is broken and not there is refused":              {installed, broken, nowhere, nil, "refuse: the patch does not apply"},
		"that does not render is refused":                      {installed, nil, "deployed", &failing, "refuse: no such chart"},
		"that does not render and is not there is refused":     {installed, nil, nowhere, &failing, "refuse: no such chart"},
		"that failed and does not render is refused":           {installed, nil, "failed", &failing, "refuse: no such chart"},
		"that nobody rendered is refused":                      {installed, nil, "deployed", nil, "refuse: it was not rendered"},
		"with installed: false is uninstalled":                 {absent, nil, "deployed", nil, "uninstall: installed: false"},
		"with installed: false is uninstalled when failed":     {absent, nil, "failed", nil, "uninstall: installed: false"},
		"with installed: false is uninstalled when half gone":  {absent, nil, "uninstalling", nil, "uninstall: installed: false"},
		"with installed: false is uninstalled when broken":     {absent, broken, "deployed", nil, "uninstall: installed: false"},
		"with installed: false that is not there stays away":   {absent, nil, nowhere, nil, "unchanged: installed: false"},
		"with installed: false that is uninstalled stays away": {absent, nil, "uninstalled", nil, "unchanged: installed: false"},
		"that is disabled is left where it is":                 {disabled, nil, "deployed", nil, "leave: disabled by its condition"},
		"that is disabled is not installed":                    {disabled, nil, nowhere, nil, "leave: disabled by its condition"},
		"that is disabled may be broken":                       {disabled, broken, "failed", nil, "leave: disabled by its condition"},
		"that is not selected is left where it is":             {unselected, nil, "failed", &changed, "leave: not selected"},
		"that is not selected is not installed":                {unselected, nil, nowhere, nil, "leave: not selected"},
	} {
		t.Run(name, func(t *testing.T) {
			declared := want("web", test.state)
			declared.Broken = test.broken
			var found []release.Observed
			if test.status != nowhere {
				found = append(found, have("web", test.status))
			}
			var rendered []release.Rendered
			if test.next != nil {
				rendered = append(rendered, *test.next)
			}
			got := reasons(Make([]release.Desired{declared}, found, rendered, release.Memory{}, policy, noon))
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
		"that is young may still be in the making": {"pending-upgrade", 9 * time.Minute,
			"refuse: revision 7 is pending-upgrade since 2026-03-01T11:51:00Z: another Helm operation may be under way; it counts as interrupted after 10m0s"},
		"that is old was interrupted": {"pending-upgrade", 11 * time.Minute,
			"upgrade: last revision pending-upgrade since 2026-03-01T11:49:00Z, interrupted"},
		"that is as old as the limit was interrupted": {"pending-install", 10 * time.Minute,
			"upgrade: last revision pending-install since 2026-03-01T11:50:00Z, interrupted"},
		"of a rollback is treated alike": {"pending-rollback", time.Hour,
			"upgrade: last revision pending-rollback since 2026-03-01T11:00:00Z, interrupted"},
		"of an uninstall is treated alike": {"uninstalling", time.Minute,
			"refuse: revision 7 is uninstalling since 2026-03-01T11:59:00Z: another Helm operation may be under way; it counts as interrupted after 10m0s"},
		"from a clock that runs ahead is young": {"pending-install", -time.Minute,
			"refuse: revision 7 is pending-install since 2026-03-01T12:01:00Z: another Helm operation may be under way; it counts as interrupted after 10m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			found := have("web", test.status)
			found.Updated = noon.Add(-test.age).In(time.FixedZone("elsewhere", 3600))
			p := Make([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{next("web")}, release.Memory{}, policy, noon)
			if diff := cmp.Diff([]string{"web: " + test.want}, reasons(p)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNobodyIsInterruptedWhoMayBeAtWork: a person's Helm may take as long as the helmfile lets ours, or as Helm does by default.
func TestNobodyIsInterruptedWhoMayBeAtWork(t *testing.T) {
	for name, test := range map[string]struct {
		run, release, age time.Duration
		want              Verb
	}{
		"a run of ours":                         {10 * time.Minute, 0, 9 * time.Minute, Refuse},
		"no run of ours":                        {10 * time.Minute, 0, 10 * time.Minute, Upgrade},
		"Helm's default":                        {time.Minute, 0, 5 * time.Minute, Refuse},
		"longer than Helm's default":            {time.Minute, 0, 6 * time.Minute, Upgrade},
		"the release's own timeout":             {time.Minute, time.Hour, 59 * time.Minute, Refuse},
		"longer than the release's own timeout": {time.Minute, time.Hour, 61 * time.Minute, Upgrade},
	} {
		t.Run(name, func(t *testing.T) {
			found, declared, p := have("web", "pending-upgrade"), want("web", release.Installed), policy
			found.Updated, declared.Options.Timeout, p.AbandonedAfter = noon.Add(-test.age), test.release, test.run
			got := Make([]release.Desired{declared}, []release.Observed{found}, []release.Rendered{next("web")}, release.Memory{}, p, noon)
			if got.Steps[0].Verb != test.want {
				t.Error(reasons(got))
			}
		})
	}
}

func TestDefinitionsThatComeWithAReleaseAreNamed(t *testing.T) {
	coming := next("web")
	coming.CRDs = release.Manifest{object("apiextensions.k8s.io/v1", "CustomResourceDefinition/kinds.example.com", nil)}
	p := Make([]release.Desired{want("web", release.Installed)}, nil, []release.Rendered{coming}, release.Memory{}, policy, noon)
	if diff := cmp.Diff([]string{"web: install: not installed yet; brings the CRDs kinds.example.com"}, reasons(p)); diff != "" {
		t.Error(diff)
	}
}

func TestOrphans(t *testing.T) {
	p := Make(
		[]release.Desired{want("disabled", release.Disabled), want("unselected", release.Unselected), want("absent", release.Absent)},
		[]release.Observed{
			have("lost", "deployed"), have("lost-and-failed", "failed"), have("gone", "uninstalled"),
			have("disabled", "deployed"), have("unselected", "deployed"), have("absent", "uninstalled"),
			of("theirs", have("foreign", "deployed")), of("", have("unowned", "deployed")), have("other/disabled", "deployed"),
		},
		nil, release.Memory{}, policy, noon)
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

func TestWhoseARelease(t *testing.T) {
	const installed, absent, disabled, unselected = release.Installed, release.Absent, release.Disabled, release.Unselected
	const foreign = "refuse: it belongs to instance theirs, and this is mine: only one of them may declare it"
	elsewhere := have("web", "deployed")
	elsewhere.Origin = "elsewhere"
	noOrigin := have("web", "deployed")
	noOrigin.Origin = ""
	keeping := have("web", "deployed")
	keeping.Keep = true
	byHand := have("web", "deployed")
	byHand.KeptByHand = true
	old := have("web", "deployed")
	old.Origin, old.Manifest = "elsewhere", release.Manifest{deployment(2)}
	keep := want("web", installed)
	keep.Labels = map[string]string{release.PruneLabel: release.KeepValue}
	unwatched := want("web", installed)
	unwatched.Labels = map[string]string{release.DriftLabel: "off"}
	notWatched := have("web", "deployed")
	notWatched.DriftOff = true
	otherLabel := want("web", installed)
	otherLabel.Labels = map[string]string{release.PruneLabel: "never"}

	for name, test := range map[string]struct {
		want release.Desired
		have release.Observed
		plan string
	}{
		"is its own stays":                              {want("web", installed), have("web", "deployed"), "unchanged: as declared"},
		"is nobody's is adopted":                        {want("web", installed), of("", have("web", "deployed")), "adopt: as declared, but nobody's yet"},
		"is of another origin is adopted":               {want("web", installed), elsewhere, "adopt: as declared, now by another repository, path or environment"},
		"is of no known origin is adopted":              {want("web", installed), noOrigin, "adopt: as declared, now by another repository, path or environment"},
		"is to be kept from now on is adopted":          {keep, have("web", "deployed"), "adopt: as declared; whether to keep it when it no longer is, or to look for drift, has changed"},
		"is to be kept no more is adopted":              {want("web", installed), keeping, "adopt: as declared; whether to keep it when it no longer is, or to look for drift, has changed"},
		"is to be kept already stays":                   {keep, keeping, "unchanged: as declared"},
		"is not to be watched for drift is adopted":     {unwatched, have("web", "deployed"), "adopt: as declared; whether to keep it when it no longer is, or to look for drift, has changed"},
		"is not watched for drift already stays":        {unwatched, notWatched, "unchanged: as declared"},
		"is kept by hand stays":                         {want("web", installed), byHand, "unchanged: as declared"},
		"has another value of the label is not kept":    {otherLabel, have("web", "deployed"), "unchanged: as declared"},
		"changes anyhow is adopted by that":             {want("web", installed), old, "upgrade: templates changed: Deployment/web"},
		"is another's is refused":                       {want("web", installed), of("theirs", have("web", "deployed")), foreign},
		"is another's and failed is refused":            {want("web", installed), of("theirs", have("web", "failed")), foreign},
		"is another's and to be absent is refused":      {want("web", absent), of("theirs", have("web", "deployed")), foreign},
		"is another's and disabled is left":             {want("web", disabled), of("theirs", have("web", "deployed")), "leave: disabled by its condition"},
		"is another's and not selected is left":         {want("web", unselected), of("theirs", have("web", "deployed")), "leave: not selected"},
		"was another's and is uninstalled is installed": {want("web", installed), of("theirs", have("web", "uninstalled")), "install: not installed yet"},
		"was another's and is uninstalled stays away":   {want("web", absent), of("theirs", have("web", "uninstalled")), "unchanged: installed: false"},
	} {
		t.Run(name, func(t *testing.T) {
			p := Make([]release.Desired{test.want}, []release.Observed{test.have}, []release.Rendered{next("web")}, release.Memory{}, policy, noon)
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

func TestAStepCarriesWhatItWasDecidedFrom(t *testing.T) {
	wanted := []release.Desired{want("db", release.Installed), want("web", release.Installed)}
	found := []release.Observed{have("lost", "deployed"), have("web", "deployed")}
	rendered := []release.Rendered{next("web"), next("db")}
	got := Make(wanted, found, rendered, release.Memory{}, policy, noon).Steps
	same := []bool{
		got[0].Want == &wanted[0] && got[0].Have == nil && got[0].Next == &rendered[1],       // db
		got[1].Want == nil && got[1].Have == &found[0] && got[1].Next == nil,                 // lost
		got[2].Want == &wanted[1] && got[2].Have == &found[1] && got[2].Next == &rendered[0], // web
	}
	if diff := cmp.Diff([]bool{true, true, true}, same); diff != "" {
		t.Error(diff)
	}
}

func TestOnlySomeVerbsWrite(t *testing.T) {
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
