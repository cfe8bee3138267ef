package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestSavedStateOfAStep(t *testing.T) {
	previous := stateWithMarks(marked("web", time.Hour))
	previous.Needs = map[string][]release.Key{"shop/web": {key("old")}}
	installed := want("web", release.Installed, "db")
	mine, unowned, theirs, gone := have("web", "deployed"), ownedBy("", have("web", "deployed")), ownedBy("theirs", have("web", "deployed")), have("web", "uninstalled")
	fresh := marked("web", 0)
	const namespace, needs, oldNeeds = "shop", " needs shop/db", " needs shop/old"

	for name, test := range map[string]struct {
		verb         Verb
		want         *release.Desired
		have         *release.Observed
		done, failed string
	}{
		"install":                              {Install, &installed, nil, namespace + needs, namespace + needs}, // Helm records failed revisions
		"install an uninstalled release":       {Install, &installed, &gone, namespace + needs, namespace + needs},
		"upgrade":                              {Upgrade, &installed, &mine, namespace + needs, namespace + needs},
		"upgrade an unowned release":           {Upgrade, &installed, &unowned, namespace + needs, namespace + needs},
		"adopt":                                {Adopt, &installed, &unowned, namespace + needs, namespace + needs},
		"unchanged":                            {Unchanged, &installed, &mine, namespace + needs, namespace + needs},
		"unchanged and not installed":          {Unchanged, &installed, nil, "", ""},
		"unchanged and uninstalled":            {Unchanged, &installed, &gone, "", ""},
		"uninstall":                            {Uninstall, &installed, &mine, "", namespace + needs},
		"uninstall an unowned release":         {Uninstall, &installed, &unowned, "", ""},
		"leave":                                {Leave, &installed, &mine, namespace + needs, namespace + needs},
		"leave an unowned release":             {Leave, &installed, &unowned, "", ""},
		"refuse":                               {Refuse, &installed, &mine, namespace + needs, namespace + needs},
		"refuse a release of another instance": {Refuse, &installed, &theirs, "", ""},
		"mark":                                 {Mark, nil, &mine, namespace + oldNeeds + " marked 12:00 ×1", namespace + oldNeeds + " marked 12:00 ×1"},
		"orphan":                               {Orphan, nil, &mine, namespace + oldNeeds + " marked 11:00 ×2", namespace + oldNeeds + " marked 11:00 ×2"},
		"hold":                                 {Hold, nil, &mine, namespace + oldNeeds + " marked 11:00 ×2", namespace + oldNeeds + " marked 11:00 ×2"},
		"prune":                                {Prune, nil, &mine, "", namespace + oldNeeds + " marked 11:00 ×2"},
	} {
		t.Run(name, func(t *testing.T) {
			step := Step{Key: key("web"), Verb: test.verb, Want: test.want, Have: test.have, Owner: release.Owner{Instance: "mine"}, Mark: &previous.Marks[0]}
			if test.verb == Mark {
				step.Mark, step.NewMark = nil, &fresh
			}
			p := Plan{Steps: []Step{step}}
			if diff := cmp.Diff(test.done, stateLine(p.NextState(previous, nil, succeeding))); diff != "" {
				t.Errorf("done: %s", diff)
			}
			if diff := cmp.Diff(test.failed, stateLine(p.NextState(previous, nil, failing))); diff != "" {
				t.Errorf("failed: %s", diff)
			}
		})
	}
}

// stateLine shows the state as "namespaces needs … marked since ×runs".
func stateLine(m release.InstanceState) string {
	line := ""
	for _, namespace := range m.Namespaces {
		line += namespace
	}
	for _, needs := range m.Needs {
		line += keyList(" needs", needs)
	}
	for _, mark := range m.Marks {
		line += mark.Since.Format(" marked 15:04") + " ×" + string(rune('0'+mark.Runs))
	}
	return line
}

func TestAMarkWithoutAnOrphanIsRemoved(t *testing.T) {
	previous := stateWithMarks(marked("gone", time.Hour), marked("lost", time.Hour), marked("theirs", time.Hour))
	found := []release.Observed{have("lost", "deployed"), ownedBy("theirs", have("theirs", "deployed")), have("web", "deployed")}
	p := Build([]release.Desired{want("web", release.Disabled)}, found, nil, previous, policy, noon)
	if diff := cmp.Diff([]string{"shop/lost"}, markedKeys(p.NextState(previous, nil, failing))); diff != "" {
		t.Error(diff)
	}
}

// TestAVoidMarkIsRemoved: a guard does not keep a void mark.
func TestAVoidMarkIsRemoved(t *testing.T) {
	o := lost(func(o *orphaned) { o.have[0].Updated, o.policy.SelectorInUse = noon, true })
	if left := o.plan().NextState(o.previous, nil, succeeding).Marks; len(left) > 0 {
		t.Error(left)
	}
}

func TestAMarkFromTheFutureDelaysPruningByOneRun(t *testing.T) {
	o := lost(func(o *orphaned) { o.previous.Marks[0].Since = noon.AddDate(10, 0, 0) })
	p := o.plan()
	o.previous = p.NextState(o.previous, nil, succeeding)
	if got := p.Steps[0].Verb; got != Hold {
		t.Errorf("first run: %s", got)
	}
	if got := o.plan().Steps[0].Verb; got != Prune {
		t.Errorf("second run: %s", got)
	}
}

func TestTheStateOfUnreadableNamespacesIsKept(t *testing.T) {
	previous := release.InstanceState{
		Marks:      []release.Mark{marked("unreadable/lost", time.Hour), marked("gone/lost", 2*time.Hour), marked("unknown/lost", 3*time.Hour)},
		Namespaces: []string{"unreadable", "gone", "shop"},
		Needs:      map[string][]release.Key{"unreadable/lost": {key("unreadable/db")}, "gone/lost": {key("gone/db")}},
		Records:    map[string]release.Record{"unreadable/lost": {Revision: 1}, "gone/lost": {Revision: 1}},
	}
	p := Build([]release.Desired{want("web", release.Disabled)}, []release.Observed{have("web", "deployed")}, nil, previous, policy, noon)
	got := p.NextState(previous, []string{"unreadable", "unknown"}, succeeding)
	want := release.InstanceState{
		Marks:      previous.Marks[:1], // without a further run
		Namespaces: []string{"shop", "unreadable"},
		Needs:      map[string][]release.Key{"unreadable/lost": {key("unreadable/db")}},
		Records:    map[string]release.Record{"unreadable/lost": {Revision: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestRecordsAreSaved: a proven record is saved. An unproven record does not replace the saved one.
func TestRecordsAreSaved(t *testing.T) {
	known, now := release.Record{Revision: 6, Digest: "known"}, release.Record{Revision: 7, Digest: "now"}
	for name, test := range map[string]struct {
		trusted, reproduced bool
		previous            map[string]release.Record
		want                map[string]release.Record
	}{
		"trusted":                            {true, false, map[string]release.Record{"shop/web": now}, map[string]release.Record{"shop/web": now}},
		"reproduced":                         {false, true, nil, map[string]release.Record{"shop/web": now}},
		"neither, and another record saved":  {false, false, map[string]release.Record{"shop/web": known}, map[string]release.Record{"shop/web": known}},
		"neither, and no record saved":       {false, false, nil, nil},
		"of a release that is not installed": {false, false, map[string]release.Record{"shop/gone": known}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			found, rendered := have("web", "deployed"), next("web")
			found.Trusted, found.Digest, rendered.Reproduced = test.trusted, "now", test.reproduced
			previous := release.InstanceState{Records: test.previous}
			p := Build([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{rendered}, previous, policy, noon)
			if diff := cmp.Diff(test.want, p.NextState(previous, nil, succeeding).Records); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMarksAreSavedInOrder(t *testing.T) {
	previous := stateWithMarks(marked("b", time.Hour), marked("d", 0), marked("c", time.Hour), marked("a", time.Hour))
	o := orphaned{policy: policy, previous: previous, want: []release.Desired{want("web", release.Disabled)},
		have: []release.Observed{have("d", "deployed"), have("b", "deployed"), have("c", "deployed"), have("a", "deployed")}}
	if diff := cmp.Diff([]string{"shop/a", "shop/b", "shop/c", "shop/d"}, markedKeys(o.plan().NextState(previous, nil, failing))); diff != "" {
		t.Error(diff)
	}
}

func markedKeys(m release.InstanceState) (keys []string) {
	for _, mark := range m.Marks {
		keys = append(keys, mark.Key.String())
	}
	return keys
}
