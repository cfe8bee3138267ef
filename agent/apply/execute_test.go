package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

const (
	install   = plan.Install
	upgrade   = plan.Upgrade
	uninstall = plan.Uninstall
	adopt     = plan.Adopt
	prune     = plan.Prune
	unchanged = plan.Unchanged
)

func TestOrderOfExecution(t *testing.T) {
	for name, test := range map[string]struct {
		plan        plan.Plan
		concurrency int
		want        []string
	}{
		"independent steps run at the same time": {of(step("a", install), step("b", upgrade), step("c", install)), 3,
			[]string{"a 0s–1s", "b 0s–1s", "c 0s–1s"}},
		"never more steps at a time than the concurrency": {of(step("a", install, "e"), step("b", install, "e"), step("c", install, "e"), step("e", install)), 2,
			[]string{"e 0s–1s", "? 1s–2s", "? 1s–2s", "? 2s–3s"}},
		"one step at a time with concurrency 1": {of(step("a", install), step("b", install), step("c", install)), 1,
			[]string{"? 0s–1s", "? 1s–2s", "? 2s–3s"}},
		"a needed release comes first": {of(step("a", install, "b"), step("b", upgrade, "c"), step("c", install)), 9,
			[]string{"c 0s–1s", "b 1s–2s", "a 2s–3s"}},
		"a diamond": {of(step("a", install), step("b", install, "a"), step("c", install, "a"), step("d", install, "b", "c")), 9,
			[]string{"a 0s–1s", "b 1s–2s", "c 1s–2s", "d 2s–3s"}},
		"a step waits only for its own needs": {of(step("a", install), step("b", install, "a"), step("c", install), step("d", install, "c")), 9,
			[]string{"a 0s–1s", "c 0s–1s", "b 1s–2s", "d 1s–2s"}},
		"a phase ends before the next begins": {of(step("a", install), step("b", uninstall), step("c", uninstall, "b")), 9,
			[]string{"b 0s–1s", "c 1s–2s", "a 2s–3s"}},
		"steps that do not write take no time and no slot": {
			of(step("a", unchanged), step("b", plan.Orphan), step("c", plan.Leave), step("d", plan.Refuse), step("e", install, "a"),
				step("f", plan.Mark), step("g", plan.Hold)), 1,
			[]string{"e 0s–1s"}},
		"prunes wait for all other steps": {of(step("a", prune), step("b", prune, "a"), step("c", uninstall), step("d", upgrade), step("e", adopt, "d")), 9,
			[]string{"c 0s–1s", "d 1s–2s", "e 2s–3s", "a 3s–4s", "b 4s–5s"}},
		"a plan without steps": {of(), 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWriter()
				execute(t.Context(), test.plan, w, test.concurrency)
				if diff := cmp.Diff(test.want, hideNames(w.timeline(), test.want)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// hideNames replaces a name with "?" where want has "?". The order of steps that are ready at the same time is not defined.
func hideNames(timeline, want []string) []string {
	for i := range min(len(timeline), len(want)) {
		if want[i][0] == '?' {
			timeline[i] = "?" + timeline[i][1:]
		}
	}
	return timeline
}

func TestOutcomes(t *testing.T) {
	needInEarlierPhase := step("web", install, "db")
	needInEarlierPhase.After = nil // db is in an earlier phase
	laterPhase := step("db", install)
	laterPhase.Phase = 3
	const notPruned = "skipped: a release failed in this run: a later run without failures prunes it"

	for name, test := range map[string]struct {
		plan  plan.Plan
		fails string
		want  []string
	}{
		"all steps succeed": {of(step("a", install), step("b", upgrade), step("c", uninstall), step("d", unchanged), step("e", plan.Leave), step("f", plan.Orphan),
			step("g", adopt), step("h", plan.Mark), step("i", plan.Hold), step("j", prune)), "",
			[]string{"a: done", "b: done", "c: done", "d: done", "e: done", "f: done", "g: done", "h: done", "i: done", "j: done"}},
		"a failed release does not affect independent releases": {of(step("a", install), step("b", install), step("c", upgrade)), "a",
			[]string{"a: failed: boom", "b: done", "c: done"}},
		"releases that need a failed release are skipped": {of(step("cache", install), step("db", install), step("web", install, "cache", "db"), step("job", install, "cache")), "db",
			[]string{"cache: done", "db: failed: boom", "web: skipped: shop/db failed", "job: done"}},
		"indirect needs are skipped for the same reason": {of(step("a", install), step("b", unchanged, "a"), step("c", upgrade, "b"), step("d", install, "c")), "a",
			[]string{"a: failed: boom", "b: skipped: shop/a failed", "c: skipped: shop/a failed", "d: skipped: shop/a failed"}},
		"a release of a later phase that needs a failed release is skipped": {of(func() plan.Step { s := step("db", install); s.Phase = 0; return s }(), needInEarlierPhase), "db",
			[]string{"db: failed: boom", "web: skipped: shop/db failed"}},
		"a step does not wait for a need in a later phase": {of(laterPhase, needInEarlierPhase), "db",
			[]string{"db: failed: boom", "web: done"}},
		"releases that need a refused release are skipped": {of(step("db", plan.Refuse), step("web", install, "db"), step("job", install)), "",
			[]string{"db: failed: because", "web: skipped: shop/db failed", "job: done"}},
		"a refused release keeps its own reason": {of(step("db", install), step("web", plan.Refuse, "db")), "db",
			[]string{"db: failed: boom", "web: failed: because"}},
		"after a failed uninstall, the releases that it needs are not uninstalled": {of(step("db", uninstall, "web"), step("web", uninstall), step("job", uninstall)), "web",
			[]string{"db: skipped: shop/web failed", "web: failed: boom", "job: done"}},
		"a failed uninstall does not affect installs": {of(step("a", uninstall), step("b", install)), "a",
			[]string{"a: failed: boom", "b: done"}},
		"releases that need a failed adoption are skipped": {of(step("db", adopt), step("web", install, "db")), "db",
			[]string{"db: failed: boom", "web: skipped: shop/db failed"}},
		"nothing is pruned after a failed install": {of(step("a", install), step("b", prune), step("c", prune)), "a",
			[]string{"a: failed: boom", "b: " + notPruned, "c: " + notPruned}},
		"nothing is pruned after a failed upgrade":   {of(step("a", upgrade), step("b", prune)), "a", []string{"a: failed: boom", "b: " + notPruned}},
		"nothing is pruned after a failed uninstall": {of(step("a", uninstall), step("b", prune)), "a", []string{"a: failed: boom", "b: " + notPruned}},
		"nothing is pruned after a failed adoption":  {of(step("a", adopt), step("b", prune)), "a", []string{"a: failed: boom", "b: " + notPruned}},
		"nothing is pruned after a refused release":  {of(step("a", plan.Refuse), step("b", prune)), "", []string{"a: failed: because", "b: " + notPruned}},
		"held, orphaned and left releases do not prevent pruning": {of(step("a", plan.Hold), step("b", plan.Orphan), step("c", plan.Leave), step("d", plan.Mark), step("e", prune)), "",
			[]string{"a: done", "b: done", "c: done", "d: done", "e: done"}},
		"after a failed prune, only the releases that it needs are not pruned": {of(step("db", prune, "web"), step("job", prune), step("web", prune)), "web",
			[]string{"db: skipped: shop/web failed", "job: done", "web: failed: boom"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fail := func(key release.Key) error {
					if key.Name == test.fails {
						return errors.New("boom")
					}
					return nil
				}
				w := newWriter()
				w.install = func(_ context.Context, want release.Desired) (int, error) { return 1, fail(want.Key) }
				w.upgrade = func(_ context.Context, want release.Desired, _ release.Observed) (int, error) {
					return 8, fail(want.Key)
				}
				w.adopt = func(_ context.Context, have release.Observed) error { return fail(have.Key) }
				w.uninstall = func(_ context.Context, want release.Desired) error { return fail(want.Key) }
				w.prune = func(_ context.Context, have release.Observed) error { return fail(have.Key) }
				if diff := cmp.Diff(test.want, results(execute(t.Context(), test.plan, w, 2))); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestWhenTheRunIsStopped(t *testing.T) {
	cause := errors.New("stopped")
	p := of(step("a", install), step("b", upgrade, "a"), step("c", install, "b"), step("d", unchanged, "c"), step("e", plan.Refuse, "c"), step("f", uninstall),
		step("g", prune), step("h", plan.Mark))

	for name, test := range map[string]struct {
		after time.Duration
		want  []string
		spans []string
	}{
		"before the run begins, nothing is written": {0,
			[]string{"a: skipped: stopped", "b: skipped: stopped", "c: skipped: stopped", "d: done", "e: failed: because", "f: skipped: stopped",
				"g: skipped: stopped", "h: done"}, nil},
		"during a step, that step fails and no other begins": {1500 * time.Millisecond,
			[]string{"a: failed: context canceled", "b: skipped: stopped", "c: skipped: stopped", "d: done", "e: failed: because", "f: done",
				"g: skipped: stopped", "h: done"},
			[]string{"f 0s–1s", "a 1s–1.5s"}},
		"after the run has ended, nothing changes": {time.Hour,
			[]string{"a: done", "b: done", "c: done", "d: done", "e: failed: because", "f: done",
				"g: skipped: a release failed in this run: a later run without failures prunes it", "h: done"},
			[]string{"f 0s–1s", "a 1s–2s", "b 2s–3s", "c 3s–4s"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancelCause(t.Context())
				if test.after == 0 {
					stop(cause)
				}
				defer time.AfterFunc(test.after, func() { stop(cause) }).Stop()
				w := newWriter()
				got := execute(ctx, p, w, 1)
				if diff := cmp.Diff(test.want, results(got)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(test.spans, w.timeline()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}

	t.Run("between two steps, the second is skipped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancelCause(t.Context())
			w := newWriter()
			w.install = func(context.Context, release.Desired) (int, error) { stop(cause); return 1, nil }
			got := execute(ctx, of(step("a", install), step("b", install, "a"), step("c", unchanged, "b")), w, 1)
			want := []string{"a: done", "b: skipped: stopped", "c: done"}
			if diff := cmp.Diff(want, results(got)); diff != "" {
				t.Error(diff)
			}
		})
	})

	t.Run("while steps queue for a slot, those are skipped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithTimeoutCause(t.Context(), 1500*time.Millisecond, cause)
			defer stop()
			got := execute(ctx, of(step("a", install), step("b", install), step("c", install), step("d", install)), newWriter(), 1)
			lines := results(got)
			for i := range lines {
				lines[i] = lines[i][3:] // the order of these steps is not defined
			}
			slices.Sort(lines)
			want := []string{"done", "failed: context deadline exceeded", "skipped: stopped", "skipped: stopped"}
			if diff := cmp.Diff(want, lines); diff != "" {
				t.Error(diff)
			}
		})
	})

	t.Run("a cycle ends with the run", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithTimeoutCause(t.Context(), time.Minute, cause)
			defer stop()
			got := execute(ctx, of(step("a", install, "b"), step("b", install, "a")), newWriter(), 1)
			want := []string{"a: skipped: stopped", "b: skipped: stopped"}
			if diff := cmp.Diff(want, results(got)); diff != "" {
				t.Error(diff)
			}
		})
	})
}

func TestAPanicFailsOneRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter()
		w.install = func(_ context.Context, want release.Desired) (int, error) {
			if want.Name == "a" {
				panic("boom")
			}
			return 1, nil
		}
		got := execute(t.Context(), of(step("a", install), step("b", install), step("c", install, "a")), w, 2)
		want := []string{"a: failed: panic: boom", "b: done", "c: skipped: shop/a failed"}
		if diff := cmp.Diff(want, results(got)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOutcomesHaveRevisionAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := step("gone", unchanged)
		gone.Have.Status = "uninstalled"
		p := of(step("a", install), step("b", upgrade), step("c", upgrade), step("d", uninstall), step("e", uninstall), step("f", unchanged),
			step("g", upgrade, "c"), step("h", install, "c"), gone, step("i", adopt), prunedFirst("j"), prunedFirst("k"), step("l", prune))
		w := newWriter()
		boom := errors.New("boom")
		w.upgrade = func(ctx context.Context, want release.Desired, have release.Observed) (int, error) {
			if want.Name == "c" {
				return 9, boom // rolled back: two further revisions
			}
			return have.Revision + 1, work(ctx)
		}
		w.uninstall = func(ctx context.Context, want release.Desired) error {
			if want.Name == "e" {
				return boom
			}
			return work(ctx)
		}
		w.prune = func(ctx context.Context, have release.Observed) error {
			if have.Name == "k" {
				return boom
			}
			return work(ctx)
		}
		type result struct {
			Name     string
			Revision int
			Took     time.Duration
		}
		var got []result
		for _, o := range execute(t.Context(), p, w, 9) {
			got = append(got, result{o.Name, o.Revision, o.Took})
		}
		want := []result{
			{"a", 1, time.Second},
			{"b", 8, time.Second},
			{"c", 9, 0}, // failed: the revision that the writer returned
			{"d", 0, time.Second},
			{"e", 7, 0}, // failed: still installed
			{"f", 7, 0},
			{"g", 7, 0}, // skipped: unchanged
			{"h", 0, 0},
			{"gone", 0, 0},
			{"i", 7, time.Second},
			{"j", 0, time.Second},
			{"k", 7, 0},
			{"l", 7, 0}, // skipped: still installed
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// prunedFirst is a prune in the first phase, so that no failure can prevent it.
func prunedFirst(name string) plan.Step {
	s := step(name, prune)
	s.Phase = -1
	return s
}

func TestTheWriterGetsTheReleasesOfThePlan(t *testing.T) {
	p := of(step("a", install), step("b", upgrade), step("c", uninstall), step("d", adopt), step("e", prune))
	var got []release.Desired
	var have []release.Observed
	w := newWriter()
	w.install = func(_ context.Context, d release.Desired) (int, error) { got = append(got, d); return 1, nil }
	w.upgrade = func(_ context.Context, d release.Desired, o release.Observed) (int, error) {
		got, have = append(got, d), append(have, o)
		return 8, nil
	}
	w.adopt = func(_ context.Context, o release.Observed) error { have = append(have, o); return nil }
	w.prune = w.adopt
	w.uninstall = func(_ context.Context, d release.Desired) error { got = append(got, d); return nil }
	for i := range p.Steps {
		execute(t.Context(), of(p.Steps[i]), w, 1)
	}
	if diff := cmp.Diff([]release.Desired{*p.Steps[0].Want, *p.Steps[1].Want, *p.Steps[2].Want}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]release.Observed{*p.Steps[1].Have, *p.Steps[3].Have, *p.Steps[4].Have}, have); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]release.Owner{p.Steps[0].Owner, p.Steps[1].Owner, p.Steps[3].Owner}, w.owners); diff != "" {
		t.Error(diff)
	}
}

func TestTheLogHasOneLineForTheStartAndOneForTheEndOfAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&log, nil))
		w := newWriter()
		w.install = func(ctx context.Context, _ release.Desired) (int, error) {
			return 1, errors.Join(work(ctx), errors.New("boom"))
		}
		Execute(t.Context(), of(step("a", upgrade), step("b", install, "a"), step("c", unchanged), step("d", install, "b")), w, 1, logger)

		var got []string
		for line := range bytes.Lines(log.Bytes()) {
			var l struct{ Level, Msg, Release, Action, Took string }
			if err := json.Unmarshal(line, &l); err != nil {
				t.Fatal(err)
			}
			got = append(got, l.Level+" "+l.Msg+" "+l.Release+" "+l.Action+" "+l.Took)
		}
		want := []string{
			"INFO release started shop/a upgrade ",
			"INFO release done shop/a upgrade 1s",
			"INFO release started shop/b install ",
			"ERROR release failed shop/b install 1s",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if !bytes.Contains(log.Bytes(), []byte(`"error":"boom"`)) {
			t.Error("the log does not contain the error")
		}
	})
}

func TestPreview(t *testing.T) {
	gone := step("gone", unchanged)
	gone.Have = nil
	p := of(step("a", install), step("b", upgrade), step("c", uninstall), step("d", unchanged), step("e", plan.Leave), step("f", plan.Orphan),
		step("g", plan.Refuse, "a"), gone, step("h", adopt), step("i", prune), step("j", plan.Mark), step("k", plan.Hold))
	outcomes := Preview(p)
	want := []string{"a: ", "b: ", "c: ", "d: done", "e: done", "f: done", "g: failed: because", "gone: done", "h: ", "i: ", "j: done", "k: done"}
	if diff := cmp.Diff(want, results(outcomes)); diff != "" {
		t.Error(diff)
	}
	var revisions []int
	for _, o := range outcomes {
		revisions = append(revisions, o.Revision)
	}
	if diff := cmp.Diff([]int{0, 7, 7, 7, 7, 7, 0, 0, 7, 7, 7, 7}, revisions); diff != "" {
		t.Error(diff)
	}
}
