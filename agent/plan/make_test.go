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
		"of an unknown status is upgraded":                     {installed, nil, "unknown", &same, "upgrade: last revision unknown"},
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
			got := reasons(Make([]release.Desired{declared}, found, rendered, policy, noon))
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
			p := Make([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{next("web")}, policy, noon)
			if diff := cmp.Diff([]string{"web: " + test.want}, reasons(p)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOrphans(t *testing.T) {
	foreign := have("foreign", "deployed")
	foreign.Instance = "theirs"
	unowned := have("unowned", "deployed")
	unowned.Instance = ""
	namesake := have("other/disabled", "deployed")
	p := Make(
		[]release.Desired{want("disabled", release.Disabled), want("unselected", release.Unselected), want("absent", release.Absent)},
		[]release.Observed{
			have("lost", "deployed"), have("lost-and-failed", "failed"), have("gone", "uninstalled"),
			have("disabled", "deployed"), have("unselected", "deployed"), have("absent", "uninstalled"),
			foreign, unowned, namesake,
		},
		nil, policy, noon)
	want := []string{
		"disabled: orphan: no longer declared", // the one in namespace other
		"absent: unchanged: installed: false",
		"disabled: leave: disabled by its condition",
		"lost: orphan: no longer declared",
		"lost-and-failed: orphan: no longer declared",
		"unselected: leave: not selected",
	}
	if diff := cmp.Diff(want, reasons(p)); diff != "" {
		t.Error(diff)
	}
}

func TestAStepCarriesWhatItWasDecidedFrom(t *testing.T) {
	wanted := []release.Desired{want("db", release.Installed), want("web", release.Installed)}
	found := []release.Observed{have("lost", "deployed"), have("web", "deployed")}
	rendered := []release.Rendered{next("web"), next("db")}
	got := Make(wanted, found, rendered, policy, noon).Steps
	same := []bool{
		got[0].Want == &wanted[0] && got[0].Have == nil && got[0].Next == &rendered[1],       // db
		got[1].Want == nil && got[1].Have == &found[0] && got[1].Next == nil,                 // lost
		got[2].Want == &wanted[1] && got[2].Have == &found[1] && got[2].Next == &rendered[0], // web
	}
	if diff := cmp.Diff([]bool{true, true, true}, same); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyThreeVerbsWrite(t *testing.T) {
	var p Plan
	for _, verb := range []Verb{Install, Upgrade, Uninstall, Unchanged, Leave, Orphan, Refuse} {
		p.Steps = append(p.Steps, Step{Verb: verb})
	}
	var got []Verb
	for _, step := range p.Changes() {
		got = append(got, step.Verb)
	}
	if diff := cmp.Diff([]Verb{Install, Upgrade, Uninstall}, got); diff != "" {
		t.Error(diff)
	}
}
