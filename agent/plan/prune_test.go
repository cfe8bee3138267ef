package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// orphaned is an input with two releases: web is declared, and lost is an orphan that an earlier run marked an hour ago.
type orphaned struct {
	want     []release.Desired
	have     []release.Observed
	previous release.InstanceState
	policy   Policy
}

func lost(change func(*orphaned)) orphaned {
	o := orphaned{
		want:     []release.Desired{want("web", release.Installed)},
		have:     []release.Observed{have("lost", "deployed"), have("web", "deployed")},
		previous: stateWithMarks(marked("lost", time.Hour)),
		policy:   policy,
	}
	change(&o)
	return o
}

func (o orphaned) plan() Plan {
	return Build(o.want, o.have, []release.Rendered{next("web")}, o.previous, o.policy, noon)
}

// decision is the step of lost, as "verb: why".
func (o orphaned) decision() string { return strings.TrimPrefix(reasons(o.plan())[0], "lost: ") }

func TestAnOrphan(t *testing.T) {
	const history = "no longer declared since commit 0123456, marked 2026-03-01T11:00:00Z"
	for name, test := range map[string]struct {
		orphaned
		want string
	}{
		"is marked by the first run that sees it": {
			lost(func(o *orphaned) { o.previous = release.InstanceState{} }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z"},
		"is marked with the time of its removal": {
			lost(func(o *orphaned) { o.previous, o.policy.Prune.Grace = release.InstanceState{}, 24*time.Hour }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-02T12:00:00Z"},
		"is marked one run later after a diff": {
			lost(func(o *orphaned) { o.previous, o.policy.DiffOnly = release.InstanceState{}, true }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the run after next, not before 2026-03-01T12:00:00Z"},
		"is pruned if an earlier run marked it": {
			lost(func(*orphaned) {}), "prune: " + history},
		"is pruned even if the mark is only a moment old": {
			lost(func(o *orphaned) { o.previous = stateWithMarks(marked("lost", 0)) }),
			"prune: no longer declared since commit 0123456, marked 2026-03-01T12:00:00Z"},
		"stays until the grace period ends": {
			lost(func(o *orphaned) { o.policy.Prune.Grace = time.Hour + time.Second }),
			"orphan: " + history + "; will be uninstalled after 2026-03-01T12:00:01Z"},
		"is pruned when the grace period has ended": {
			lost(func(o *orphaned) { o.policy.Prune.Grace = time.Hour }), "prune: " + history},
		"is pruned if its revision failed": {
			lost(func(o *orphaned) { o.have[0].Status = "failed" }), "prune: " + history},
		"is pruned if an earlier uninstall was interrupted": {
			lost(func(o *orphaned) { o.have[0].Status = "uninstalling" }), "prune: " + history},
		"is marked again after a new revision": {
			lost(func(o *orphaned) { o.have[0].Revision, o.have[0].Updated = 8, noon.Add(-time.Minute) }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z"},
		"is marked again after a new installation": {
			lost(func(o *orphaned) { o.have[0].Updated = noon.Add(-time.Minute) }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z"},
		"is not pruned because of a mark in another namespace": {
			lost(func(o *orphaned) { o.previous.Marks[0].Namespace = "other" }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.orphaned.decision()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestGuards checks for every guard: its reason, whether it refuses (hold) or only reports (orphan), what it does to an orphan
// that is not marked yet, and what happens if --prune-allow names the commit.
func TestGuards(t *testing.T) {
	const advice = ": if this is intended, allow it with --prune-allow 3f2a9c1"
	const none = ""
	for name, test := range map[string]struct {
		change   func(*orphaned)
		marked   string // the step of an orphan that an earlier run marked
		unmarked Verb   // the verb for an orphan that is not marked
		allowed  Verb   // the verb for the marked orphan when the commit is allowed
	}{
		"none": {func(*orphaned) {}, none, Mark, Prune},
		"pruning is off": {func(o *orphaned) { o.policy.Prune.Mode = Off },
			"orphan: no longer declared; pruning is off", Orphan, Orphan},
		"pruning is set to report only": {func(o *orphaned) { o.policy.Prune.Mode = ReportOnly },
			"orphan: no longer declared; pruning is set to report only", Orphan, Orphan},
		"a selector": {func(o *orphaned) { o.policy.SelectorInUse = true },
			"orphan: no longer declared; a selector is in use", Orphan, Orphan},
		"kept by its label": {func(o *orphaned) { o.have[0].Keep = true },
			"orphan: no longer declared; a label or an annotation says to keep it", Orphan, Orphan},
		"kept by an annotation": {func(o *orphaned) { o.have[0].KeptByHand = true },
			"orphan: no longer declared; a label or an annotation says to keep it", Orphan, Orphan},
		"a record of another client": {func(o *orphaned) { o.have[0].Trusted = false },
			"hold: no longer declared; its record was not written by this agent, or was changed since; declare it again, or uninstall it with Helm", Hold, Hold},
		"skipped state files": {func(o *orphaned) { o.policy.SkippedFiles = []string{"a.yaml", "b.yaml"} },
			"hold: no longer declared; helmfile skipped state files: a.yaml, b.yaml", Hold, Hold},
		"nothing declared": {func(o *orphaned) { o.want = nil; o.have = o.have[:1] },
			"hold: no longer declared; the helmfile declares no releases" + advice, Hold, Prune},
		"installed from elsewhere": {func(o *orphaned) { o.have[0].Origin = "elsewhere" },
			"hold: no longer declared; it was installed from another repository, path or environment" + advice, Hold, Prune},
		"of unknown origin": {func(o *orphaned) { o.have[0].Origin = "" },
			"hold: no longer declared; it was installed from another repository, path or environment" + advice, Hold, Prune},
		"marked from elsewhere": {func(o *orphaned) { o.previous.Marks[0].Origin = "elsewhere" },
			"hold: no longer declared; it was marked by a run for another repository, path or environment" + advice, Mark, Prune},
		"a clock that went back": {func(o *orphaned) { o.previous.Marks[0].Since = noon.Add(time.Second) },
			"hold: no longer declared; the clock went back: the mark is from 2026-03-01T12:00:01Z, and it is now 2026-03-01T12:00:00Z; it is marked again", Mark, Hold},
		"a share": {func(o *orphaned) { o.policy.Prune.MaxShare = 49 },
			"hold: no longer declared since commit 0123456, marked 2026-03-01T11:00:00Z; pruning 1 of 2 releases at once exceeds the limit of 49 %" + advice, Mark, Prune},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lost(test.change).decision(); test.marked != none && got != test.marked {
				t.Errorf("marked:\n got %s\nwant %s", got, test.marked)
			}
			unmarked := lost(test.change)
			unmarked.previous = release.InstanceState{}
			if got := unmarked.plan().Steps[0].Verb; got != test.unmarked {
				t.Errorf("unmarked: got %s, want %s", got, test.unmarked)
			}
			allowed := lost(test.change)
			allowed.policy.Prune.Allow = "3f2a9c1"
			if got := allowed.plan().Steps[0].Verb; got != test.allowed {
				t.Errorf("allowed: got %s, want %s", got, test.allowed)
			}
		})
	}
}

func TestPruneAllowIsForOneCommit(t *testing.T) {
	for allow, want := range map[string]Verb{
		"": Hold, "3f2a9c1": Prune, commit[:12]: Prune, commit: Prune,
		"3f2a9c2": Hold, "f2a9c1d": Hold, earlier: Hold, commit + "0": Hold,
	} {
		o := lost(func(o *orphaned) { o.want, o.policy.Prune.Allow = nil, allow })
		if got := o.plan().Steps[0].Verb; got != want {
			t.Errorf("--prune-allow %q: got %s, want %s", allow, got, want)
		}
	}
}

func TestMaximumShare(t *testing.T) {
	for name, test := range map[string]struct {
		declared, marked, unmarked, share int
		want                              string
	}{
		"exactly the maximum is allowed":                      {2, 2, 0, 50, "prune prune"},
		"one more is refused":                                 {1, 2, 0, 50, "hold hold"},
		"a third exceeds 33 %":                                {2, 1, 0, 33, "hold"},
		"a third does not exceed 34 %":                        {2, 1, 0, 34, "prune"},
		"orphans that are only marked count as releases":      {1, 1, 1, 34, "prune mark"},
		"orphans that are only marked do not count as pruned": {1, 1, 1, 33, "hold mark"},
		"a rename of all releases prunes half of them":        {3, 3, 0, 50, "prune prune prune"},
		"100 allows every prune":                              {1, 3, 0, 100, "prune prune prune"},
		"0 allows no prune":                                   {100, 1, 0, 0, "hold"},
		"0 allows marks":                                      {100, 0, 1, 0, "mark"},
	} {
		t.Run(name, func(t *testing.T) {
			o := orphaned{policy: policy}
			o.policy.Prune.MaxShare = test.share
			for i := range test.declared {
				o.want = append(o.want, want(fmt.Sprint("x", i), release.Disabled))
			}
			for i := range test.marked + test.unmarked {
				name := fmt.Sprint("a", i)
				o.have = append(o.have, have(name, "deployed"))
				if i < test.marked {
					o.previous.Marks = append(o.previous.Marks, marked(name, time.Hour))
				}
			}
			var got []string
			for _, step := range o.plan().Steps {
				if step.Want == nil {
					got = append(got, string(step.Verb))
				}
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAReleaseThatIsDeclaredAgain(t *testing.T) {
	for name, test := range map[string]struct {
		state release.DesiredState
		have  release.Observed
		next  release.Rendered
		want  string
	}{
		"unchanged":          {release.Installed, have("web", "deployed"), next("web"), "unchanged: as declared; declared again, no longer marked"},
		"installed: false":   {release.Absent, have("web", "deployed"), next("web"), "uninstall: installed: false; declared again, no longer marked"},
		"disabled":           {release.Disabled, have("web", "deployed"), next("web"), "leave: disabled by its condition; declared again, no longer marked"},
		"not selected":       {release.Unselected, have("web", "deployed"), next("web"), "leave: not selected; declared again, no longer marked"},
		"uninstalled before": {release.Installed, have("web", "uninstalled"), next("web"), "install: not installed yet; declared again, no longer marked"},
		"refused": {release.Installed, ownedBy("theirs", have("web", "deployed")), next("web"),
			"refuse: instance theirs owns this release, and this agent is instance mine: only one of them may declare it"},
	} {
		t.Run(name, func(t *testing.T) {
			previous := stateWithMarks(marked("web", time.Hour))
			p := Build([]release.Desired{want("web", test.state)}, []release.Observed{test.have}, []release.Rendered{test.next}, previous, policy, noon)
			if diff := cmp.Diff([]string{"web: " + test.want}, reasons(p)); diff != "" {
				t.Error(diff)
			}
			if left := p.NextState(previous, nil, succeeding).Marks; len(left) > 0 {
				t.Errorf("still marked: %v", left)
			}
		})
	}
}

func TestAMovedReleaseIsInstalledBeforeItIsPruned(t *testing.T) {
	o := orphaned{
		want:   []release.Desired{want("web", release.Installed), want("more", release.Disabled)},
		have:   []release.Observed{have("other/web", "deployed")},
		policy: policy,
	}
	first := o.plan()
	if diff := cmp.Diff([]string{"0 mark other/web", "1 leave shop/more", "1 install shop/web"}, order(first)); diff != "" {
		t.Error(diff)
	}
	o.previous = first.NextState(o.previous, nil, failing)
	if diff := cmp.Diff([]string{"2 prune other/web", "1 leave shop/more", "1 install shop/web"}, order(o.plan())); diff != "" {
		t.Errorf("the second run, after the install failed: %s", diff)
	}
}

func TestAPruneStepHasItsMark(t *testing.T) {
	o := lost(func(*orphaned) {})
	step := o.plan().Steps[0]
	if diff := cmp.Diff(&o.previous.Marks[0], step.Mark); diff != "" || step.NewMark != nil || step.Owner != o.have[0].Owner {
		t.Errorf("%+v %s", step, diff)
	}
}

func succeeding(release.Key) bool { return true }
func failing(release.Key) bool    { return false }
