package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestWhatIsRememberedOfAStep(t *testing.T) {
	was := marks(marked("web", time.Hour))
	was.Needs = map[string][]release.Key{"shop/web": {key("old")}}
	installed := want("web", release.Installed, "db")
	mine, nobodys, theirs, gone := have("web", "deployed"), of("", have("web", "deployed")), of("theirs", have("web", "deployed")), have("web", "uninstalled")
	fresh := marked("web", 0)
	const namespace, needs, oldNeeds = "shop", " needs shop/db", " needs shop/old"

	for name, test := range map[string]struct {
		verb         Verb
		want         *release.Desired
		have         *release.Observed
		done, failed string
	}{
		"install":                      {Install, &installed, nil, namespace + needs, namespace + needs}, // Helm records what failed
		"install what was uninstalled": {Install, &installed, &gone, namespace + needs, namespace + needs},
		"upgrade":                      {Upgrade, &installed, &mine, namespace + needs, namespace + needs},
		"upgrade what is nobody's":     {Upgrade, &installed, &nobodys, namespace + needs, namespace + needs},
		"adopt":                        {Adopt, &installed, &nobodys, namespace + needs, namespace + needs},
		"unchanged":                    {Unchanged, &installed, &mine, namespace + needs, namespace + needs},
		"unchanged and away":           {Unchanged, &installed, nil, "", ""},
		"unchanged and uninstalled":    {Unchanged, &installed, &gone, "", ""},
		"uninstall":                    {Uninstall, &installed, &mine, "", namespace + needs},
		"uninstall what is nobody's":   {Uninstall, &installed, &nobodys, "", ""},
		"leave":                        {Leave, &installed, &mine, namespace + needs, namespace + needs},
		"leave what is nobody's":       {Leave, &installed, &nobodys, "", ""},
		"refuse":                       {Refuse, &installed, &mine, namespace + needs, namespace + needs},
		"refuse what is another's":     {Refuse, &installed, &theirs, "", ""},
		"mark":                         {Mark, nil, &mine, namespace + oldNeeds + " marked 12:00 ×1", namespace + oldNeeds + " marked 12:00 ×1"},
		"orphan":                       {Orphan, nil, &mine, namespace + oldNeeds + " marked 11:00 ×2", namespace + oldNeeds + " marked 11:00 ×2"},
		"hold":                         {Hold, nil, &mine, namespace + oldNeeds + " marked 11:00 ×2", namespace + oldNeeds + " marked 11:00 ×2"},
		"prune":                        {Prune, nil, &mine, "", namespace + oldNeeds + " marked 11:00 ×2"},
	} {
		t.Run(name, func(t *testing.T) {
			step := Step{Key: key("web"), Verb: test.verb, Want: test.want, Have: test.have, Owner: release.Owner{Instance: "mine"}, Mark: &was.Marks[0]}
			if test.verb == Mark {
				step.Mark, step.NewMark = nil, &fresh
			}
			p := Plan{Steps: []Step{step}}
			if diff := cmp.Diff(test.done, remembered(p.Memory(was, nil, succeeding))); diff != "" {
				t.Errorf("done: %s", diff)
			}
			if diff := cmp.Diff(test.failed, remembered(p.Memory(was, nil, failing))); diff != "" {
				t.Errorf("failed: %s", diff)
			}
		})
	}
}

// remembered is the memory as "namespaces needs … marked since ×runs".
func remembered(m release.Memory) string {
	line := ""
	for _, namespace := range m.Namespaces {
		line += namespace
	}
	for _, needs := range m.Needs {
		line += listed(" needs", needs)
	}
	for _, mark := range m.Marks {
		line += mark.Since.Format(" marked 15:04") + " ×" + string(rune('0'+mark.Runs))
	}
	return line
}

func TestAMarkThatIsNotConfirmedIsForgotten(t *testing.T) {
	was := marks(marked("gone", time.Hour), marked("lost", time.Hour), marked("theirs", time.Hour))
	found := []release.Observed{have("lost", "deployed"), of("theirs", have("theirs", "deployed")), have("web", "deployed")}
	p := Make([]release.Desired{want("web", release.Disabled)}, found, nil, was, policy, noon)
	if diff := cmp.Diff([]string{"shop/lost"}, markedKeys(p.Memory(was, nil, failing))); diff != "" {
		t.Error(diff)
	}
}

// A mark that is void is not kept by a guard that holds in this run.
func TestAVoidMarkIsForgotten(t *testing.T) {
	o := lost(func(o *orphaned) { o.have[0].Updated, o.policy.Selecting = noon, true })
	if left := o.plan().Memory(o.was, nil, succeeding).Marks; len(left) > 0 {
		t.Error(left)
	}
}

func TestAClockThatWentBackIsWaitedForOnce(t *testing.T) {
	o := lost(func(o *orphaned) { o.was.Marks[0].Since = noon.AddDate(10, 0, 0) })
	p := o.plan()
	o.was = p.Memory(o.was, nil, succeeding)
	if got := p.Steps[0].Verb; got != Hold {
		t.Errorf("first: %s", got)
	}
	if got := o.plan().Steps[0].Verb; got != Prune {
		t.Errorf("then: %s", got)
	}
}

func TestWhatCouldNotBeReadStaysKnown(t *testing.T) {
	was := release.Memory{
		Marks:      []release.Mark{marked("dark/lost", time.Hour), marked("gone/lost", 2*time.Hour), marked("strange/lost", 3*time.Hour)},
		Namespaces: []string{"dark", "gone", "shop"},
		Needs:      map[string][]release.Key{"dark/lost": {key("dark/db")}, "gone/lost": {key("gone/db")}},
		Records:    map[string]release.Record{"dark/lost": {Revision: 1}, "gone/lost": {Revision: 1}},
	}
	p := Make([]release.Desired{want("web", release.Disabled)}, []release.Observed{have("web", "deployed")}, nil, was, policy, noon)
	got := p.Memory(was, []string{"dark", "strange"}, succeeding)
	want := release.Memory{
		Marks:      was.Marks[:1], // no run more has seen it
		Namespaces: []string{"dark", "shop"},
		Needs:      map[string][]release.Key{"dark/lost": {key("dark/db")}},
		Records:    map[string]release.Record{"dark/lost": {Revision: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestRecordsAreRemembered: a proven record is, and one that is not does not replace what was known.
func TestRecordsAreRemembered(t *testing.T) {
	known, now := release.Record{Revision: 6, Digest: "known"}, release.Record{Revision: 7, Digest: "now"}
	for name, test := range map[string]struct {
		trusted, reproduced bool
		was                 map[string]release.Record
		want                map[string]release.Record
	}{
		"trusted":                    {true, false, map[string]release.Record{"shop/web": now}, map[string]release.Record{"shop/web": now}},
		"reproduced":                 {false, true, nil, map[string]release.Record{"shop/web": now}},
		"neither, and another known": {false, false, map[string]release.Record{"shop/web": known}, map[string]release.Record{"shop/web": known}},
		"neither, and none known":    {false, false, nil, nil},
		"of a release that is gone":  {false, false, map[string]release.Record{"shop/gone": known}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			found, rendered := have("web", "deployed"), next("web")
			found.Trusted, found.Digest, rendered.Reproduced = test.trusted, "now", test.reproduced
			was := release.Memory{Records: test.was}
			p := Make([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{rendered}, was, policy, noon)
			if diff := cmp.Diff(test.want, p.Memory(was, nil, succeeding).Records); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMarksAreRememberedInOrder(t *testing.T) {
	was := marks(marked("b", time.Hour), marked("d", 0), marked("c", time.Hour), marked("a", time.Hour))
	o := orphaned{policy: policy, was: was, want: []release.Desired{want("web", release.Disabled)},
		have: []release.Observed{have("d", "deployed"), have("b", "deployed"), have("c", "deployed"), have("a", "deployed")}}
	if diff := cmp.Diff([]string{"shop/a", "shop/b", "shop/c", "shop/d"}, markedKeys(o.plan().Memory(was, nil, failing))); diff != "" {
		t.Error(diff)
	}
}

func markedKeys(m release.Memory) (keys []string) {
	for _, mark := range m.Marks {
		keys = append(keys, mark.Key.String())
	}
	return keys
}
