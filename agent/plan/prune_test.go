package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// orphaned is a world with one orphan, lost, which an earlier run marked an hour ago, and one release that is declared.
type orphaned struct {
	want   []release.Desired
	have   []release.Observed
	was    release.Memory
	policy Policy
}

func lost(change func(*orphaned)) orphaned {
	o := orphaned{
		want:   []release.Desired{want("web", release.Installed)},
		have:   []release.Observed{have("lost", "deployed"), have("web", "deployed")},
		was:    marks(marked("lost", time.Hour)),
		policy: policy,
	}
	change(&o)
	return o
}

func (o orphaned) plan() Plan {
	return Make(o.want, o.have, []release.Rendered{next("web")}, o.was, o.policy, noon)
}

// fate is what is decided about lost.
func (o orphaned) fate() string { return strings.TrimPrefix(reasons(o.plan())[0], "lost: ") }

func TestAnOrphan(t *testing.T) {
	const history = "no longer declared since commit 0123456, marked 2026-03-01T11:00:00Z"
	for name, test := range map[string]struct {
		orphaned
		fate string
	}{
		"is marked when it is first seen": {
			lost(func(o *orphaned) { o.was = release.Memory{} }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z"},
		"is told when it will go": {
			lost(func(o *orphaned) { o.was, o.policy.Prune.Grace = release.Memory{}, 24*time.Hour }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-02T12:00:00Z"},
		"is announced by who only looks": {
			lost(func(o *orphaned) { o.was, o.policy.Looking = release.Memory{}, true }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the run after next, not before 2026-03-01T12:00:00Z"},
		"goes when it was marked by an earlier run": {
			lost(func(*orphaned) {}), "prune: " + history},
		"goes even if it was marked a moment ago": {
			lost(func(o *orphaned) { o.was = marks(marked("lost", 0)) }),
			"prune: no longer declared since commit 0123456, marked 2026-03-01T12:00:00Z"},
		"waits for the grace to end": {
			lost(func(o *orphaned) { o.policy.Prune.Grace = time.Hour + time.Second }),
			"orphan: " + history + "; will be uninstalled after 2026-03-01T12:00:01Z"},
		"goes when the grace has just ended": {
			lost(func(o *orphaned) { o.policy.Prune.Grace = time.Hour }), "prune: " + history},
		"goes when it failed, too": {
			lost(func(o *orphaned) { o.have[0].Status = "failed" }), "prune: " + history},
		"goes when an earlier uninstall of it was interrupted": {
			lost(func(o *orphaned) { o.have[0].Status = "uninstalling" }), "prune: " + history},
		"is marked anew when somebody made a new revision of it": {
			lost(func(o *orphaned) { o.have[0].Revision, o.have[0].Updated = 8, noon.Add(-time.Minute) }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z"},
		"is marked anew when somebody installed it anew": {
			lost(func(o *orphaned) { o.have[0].Updated = noon.Add(-time.Minute) }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z"},
		"does not go because of a namesake's mark": {
			lost(func(o *orphaned) { o.was.Marks[0].Namespace = "other" }),
			"mark: no longer declared since commit 3f2a9c1; will be uninstalled by the next run, not before 2026-03-01T12:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.fate, test.orphaned.fate()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Every guard: what it says, whether it refuses (hold) or is somebody's wish (orphan), what it does to an orphan that is not
// marked yet, and what becomes of both when a person allows the commit.
func TestGuards(t *testing.T) {
	const advice = ": if that is meant, allow it with --prune-allow 3f2a9c1"
	const none = ""
	for name, test := range map[string]struct {
		change   func(*orphaned)
		marked   string // what is said of an orphan that an earlier run marked
		unmarked Verb   // what becomes of one that none did
		allowed  Verb   // what becomes of the marked one when the commit is allowed
	}{
		"none": {func(*orphaned) {}, none, Mark, Prune},
		"pruning is off": {func(o *orphaned) { o.policy.Prune.Mode = Off },
			"orphan: no longer declared; pruning is off", Orphan, Orphan},
		"pruning only reports": {func(o *orphaned) { o.policy.Prune.Mode = ReportOnly },
			"orphan: no longer declared; pruning only reports", Orphan, Orphan},
		"a selector": {func(o *orphaned) { o.policy.Selecting = true },
			"orphan: no longer declared; a selector is in use", Orphan, Orphan},
		"kept by its label": {func(o *orphaned) { o.have[0].Keep = true },
			"orphan: no longer declared; it is to be kept", Orphan, Orphan},
		"kept by an annotation": {func(o *orphaned) { o.have[0].KeptByHand = true },
			"orphan: no longer declared; it is to be kept", Orphan, Orphan},
		"a record of another client's": {func(o *orphaned) { o.have[0].Trusted = false },
			"hold: no longer declared; its record was not written by this agent, or was changed since; declare it again, or uninstall it with Helm", Hold, Hold},
		"state files passed over": {func(o *orphaned) { o.policy.PassedOver = []string{"a.yaml", "b.yaml"} },
			"hold: no longer declared; the helmfile was not completely loaded: a.yaml, b.yaml", Hold, Hold},
		"nothing declared": {func(o *orphaned) { o.want = nil; o.have = o.have[:1] },
			"hold: no longer declared; the helmfile declares nothing at all" + advice, Hold, Prune},
		"installed from elsewhere": {func(o *orphaned) { o.have[0].Origin = "elsewhere" },
			"hold: no longer declared; it was installed from another repository, path or environment" + advice, Hold, Prune},
		"of unknown origin": {func(o *orphaned) { o.have[0].Origin = "" },
			"hold: no longer declared; it was installed from another repository, path or environment" + advice, Hold, Prune},
		"marked from elsewhere": {func(o *orphaned) { o.was.Marks[0].Origin = "elsewhere" },
			"hold: no longer declared; it was marked by another repository, path or environment" + advice, Mark, Prune},
		"a clock that went back": {func(o *orphaned) { o.was.Marks[0].Since = noon.Add(time.Second) },
			"hold: no longer declared; the clock went back: it was marked 2026-03-01T12:00:01Z, and now is 2026-03-01T12:00:00Z; marked anew", Mark, Hold},
		"a share": {func(o *orphaned) { o.policy.Prune.MaxShare = 49 },
			"hold: no longer declared since commit 0123456, marked 2026-03-01T11:00:00Z; 1 of 2 releases at once is more than 49 %" + advice, Mark, Prune},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lost(test.change).fate(); test.marked != none && got != test.marked {
				t.Errorf("marked:\n got %s\nwant %s", got, test.marked)
			}
			unmarked := lost(test.change)
			unmarked.was = release.Memory{}
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

func TestAllowIsForOneCommit(t *testing.T) {
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

func TestTheShareOfAll(t *testing.T) {
	for name, test := range map[string]struct {
		declared, marked, unmarked, share int
		want                              string
	}{
		"exactly the share is allowed":               {2, 2, 0, 50, "prune prune"},
		"one more is not":                            {1, 2, 0, 50, "hold hold"},
		"exactly a share that is not a whole number": {2, 1, 0, 33, "hold"}, // a third is more than 33 %
		"and a little more of one":                   {2, 1, 0, 34, "prune"},
		"orphans that wait are part of all":          {1, 1, 1, 34, "prune mark"},
		"but are not pruned":                         {1, 1, 1, 33, "hold mark"},
		"a rename of everything is half":             {3, 3, 0, 50, "prune prune prune"},
		"a share of 100 allows all that can be":      {1, 3, 0, 100, "prune prune prune"},
		"a share of 0 allows none":                   {100, 1, 0, 0, "hold"},
		"and marks nevertheless":                     {100, 0, 1, 0, "mark"},
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
					o.was.Marks = append(o.was.Marks, marked(name, time.Hour))
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

func TestDeclaredAgain(t *testing.T) {
	for name, test := range map[string]struct {
		state release.State
		have  release.Observed
		next  release.Rendered
		want  string
	}{
		"as it is":           {release.Installed, have("web", "deployed"), next("web"), "unchanged: as declared; declared again, no longer marked"},
		"installed: false":   {release.Absent, have("web", "deployed"), next("web"), "uninstall: installed: false; declared again, no longer marked"},
		"disabled":           {release.Disabled, have("web", "deployed"), next("web"), "leave: disabled by its condition; declared again, no longer marked"},
		"not selected":       {release.Unselected, have("web", "deployed"), next("web"), "leave: not selected; declared again, no longer marked"},
		"uninstalled before": {release.Installed, have("web", "uninstalled"), next("web"), "install: not installed yet; declared again, no longer marked"},
		"refused": {release.Installed, of("theirs", have("web", "deployed")), next("web"),
			"refuse: it belongs to instance theirs, and this is mine: only one of them may declare it"},
	} {
		t.Run(name, func(t *testing.T) {
			was := marks(marked("web", time.Hour))
			p := Make([]release.Desired{want("web", test.state)}, []release.Observed{test.have}, []release.Rendered{test.next}, was, policy, noon)
			if diff := cmp.Diff([]string{"web: " + test.want}, reasons(p)); diff != "" {
				t.Error(diff)
			}
			if left := p.Memory(was, nil, succeeding).Marks; len(left) > 0 {
				t.Errorf("still marked: %v", left)
			}
		})
	}
}

func TestAMoveInstallsBeforeItPrunes(t *testing.T) {
	o := orphaned{
		want:   []release.Desired{want("web", release.Installed), want("more", release.Disabled)},
		have:   []release.Observed{have("other/web", "deployed")},
		policy: policy,
	}
	first := o.plan()
	if diff := cmp.Diff([]string{"0 mark other/web", "1 leave shop/more", "1 install shop/web"}, places(first)); diff != "" {
		t.Error(diff)
	}
	o.was = first.Memory(o.was, nil, failing)
	if diff := cmp.Diff([]string{"2 prune other/web", "1 leave shop/more", "1 install shop/web"}, places(o.plan())); diff != "" {
		t.Errorf("the second run, after the install failed: %s", diff)
	}
}

func TestAPruneCarriesItsMark(t *testing.T) {
	o := lost(func(*orphaned) {})
	step := o.plan().Steps[0]
	if diff := cmp.Diff(&o.was.Marks[0], step.Mark); diff != "" || step.NewMark != nil || step.Owner != o.have[0].Owner {
		t.Errorf("%+v %s", step, diff)
	}
}

func succeeding(release.Key) bool { return true }
func failing(release.Key) bool    { return false }
