package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

const dags = 500

func TestRandomPlans(t *testing.T) {
	for seed := range uint64(dags) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			p := randomPlan(random)
			w, maximum := randomWriter(random, p)
			ctx := t.Context()
			stopped := random.IntN(4) == 0
			if stopped {
				timed, stop := context.WithTimeout(ctx, time.Duration(random.IntN(8000))*time.Millisecond)
				defer stop()
				ctx = timed
			}
			concurrency := 1 + random.IntN(16)
			outcomes := execute(ctx, p, w, concurrency)
			if maximum.Load() > int64(concurrency) {
				t.Errorf("%d steps at once, allowed are %d", maximum.Load(), concurrency)
			}
			for name, err := range map[string]error{
				"every step has its outcome, in order":                everyOutcome(p, outcomes),
				"no step starts before its predecessors have ended":   startedInOrder(p, w),
				"no step is done if a step that it needs is not done": failureSpreads(outcomes, stopped),
				"only steps that need a failed step are skipped":      failureIsExplained(outcomes, stopped),
				"nothing is pruned in a run with a failure":           prunedAfterRest(outcomes),
			} {
				if err != nil {
					t.Errorf("seed %d: %s: %v", seed, name, err)
				}
			}
		})
	}
}

func everyOutcome(p plan.Plan, outcomes []Outcome) error {
	if len(outcomes) != len(p.Steps) {
		return fmt.Errorf("%d outcomes for %d steps", len(outcomes), len(p.Steps))
	}
	for i, o := range outcomes {
		if !reflect.DeepEqual(o.Step, p.Steps[i]) || o.Result == "" || (o.Err == nil) != (o.Result == Done) {
			return fmt.Errorf("the result %q of %s is wrong: %w", o.Result, p.Steps[i].Key, o.Err)
		}
	}
	return nil
}

func startedInOrder(p plan.Plan, w *fakeWriter) error {
	worked := map[string]span{}
	for _, s := range w.spans {
		if _, twice := worked[s.name]; twice {
			return fmt.Errorf("%s was worked on twice", s.name)
		}
		worked[s.name] = s
	}
	for _, later := range p.Steps {
		for _, earlier := range p.Steps {
			if earlier.Phase > later.Phase || earlier.Phase == later.Phase && !slices.Contains(later.After, earlier.Key) {
				continue
			}
			a, began := worked[earlier.Name]
			b, begins := worked[later.Name]
			if began && begins && earlier.Name != later.Name && b.start < a.end {
				return fmt.Errorf("%s began at %s, before %s ended at %s", later.Name, b.start, earlier.Name, a.end)
			}
		}
	}
	return nil
}

// failureSpreads checks that a step is done only if all steps that it needs are done. In a stopped run, steps that do not write are
// exempt.
func failureSpreads(outcomes []Outcome, stopped bool) error {
	results := map[release.Key]Result{}
	for _, o := range outcomes {
		results[o.Key] = o.Result
	}
	for _, o := range outcomes {
		for _, need := range o.Needs {
			if o.Result == Done && results[need] != Done && (o.Verb.Writes() || !stopped) {
				return fmt.Errorf("%s is done, but %s, which it needs, is %s", o.Key, need, results[need])
			}
		}
	}
	return nil
}

func failureIsExplained(outcomes []Outcome, stopped bool) error {
	results := map[release.Key]Result{}
	for _, o := range outcomes {
		results[o.Key] = o.Result
	}
	for _, o := range outcomes {
		unmet := slices.ContainsFunc(o.Needs, func(k release.Key) bool { return results[k] != Done })
		if o.Verb == prune && !restDone(outcomes) {
			continue
		}
		if o.Result == Skipped && !unmet && !stopped {
			return fmt.Errorf("%s is skipped, but all its needs are done: %w", o.Key, o.Err)
		}
		if o.Result == Skipped && !stopped && results[failedName(o.Err)] != Failed {
			return fmt.Errorf("%s is skipped because of a release that did not fail: %w", o.Key, o.Err)
		}
	}
	return nil
}

func prunedAfterRest(outcomes []Outcome) error {
	for _, o := range outcomes {
		if o.Verb == prune && o.Result != Skipped && !restDone(outcomes) {
			return fmt.Errorf("%s was %s", o.Key, o.Result)
		}
	}
	return nil
}

// restDone says that all steps except prunes are done.
func restDone(outcomes []Outcome) bool {
	return !slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.Verb != prune && o.Result != Done })
}

// failedName is the release in "namespace/name failed".
func failedName(err error) release.Key {
	var name string
	if _, scanErr := fmt.Sscanf(err.Error(), "shop/%s failed", &name); scanErr != nil {
		return release.Key{}
	}
	return key(name)
}

// randomPlan has up to 30 steps, in phases 0 to 3, and 4 for prunes. A step needs only steps with lower numbers.
func randomPlan(random *rand.Rand) plan.Plan {
	verbs := []plan.Verb{install, install, upgrade, upgrade, adopt, uninstall, unchanged, plan.Refuse, plan.Orphan, plan.Mark, plan.Hold, prune, prune}
	if random.IntN(2) == 0 {
		verbs = slices.DeleteFunc(verbs, func(verb plan.Verb) bool { return verb == plan.Refuse }) // otherwise almost nothing is pruned
	}
	var p plan.Plan
	for i := range random.IntN(30) {
		s := step(fmt.Sprint(i), verbs[random.IntN(len(verbs))])
		s.Phase = random.IntN(4)
		if s.Verb == prune {
			s.Phase = 4
		}
		for _, earlier := range p.Steps {
			if random.IntN(6) > 0 || earlier.Phase > s.Phase {
				continue
			}
			s.Needs = append(s.Needs, earlier.Key)
			if earlier.Phase == s.Phase {
				s.After = append(s.After, earlier.Key)
			}
		}
		p.Steps = append(p.Steps, s)
	}
	slices.SortFunc(p.Steps, func(a, b plan.Step) int { return cmp.Compare(a.Name, b.Name) })
	return p
}

// randomWriter takes a random time for each release and fails for one in sixteen. It counts the operations that run at the same time.
func randomWriter(random *rand.Rand, p plan.Plan) (w *fakeWriter, maximum *atomic.Int64) {
	type behavior struct {
		takes time.Duration
		err   error
	}
	behaviors := map[release.Key]behavior{}
	for _, s := range p.Steps {
		f := behavior{takes: time.Duration(random.IntN(1500)) * time.Millisecond}
		if random.IntN(16) == 0 {
			f.err = errors.New("boom")
		}
		behaviors[s.Key] = f
	}
	var now atomic.Int64
	maximum = &atomic.Int64{}
	act := func(ctx context.Context, key release.Key) error {
		n := now.Add(1)
		defer now.Add(-1)
		for seen := maximum.Load(); n > seen && !maximum.CompareAndSwap(seen, n); seen = maximum.Load() {
		}
		select {
		case <-time.After(behaviors[key].takes):
			return behaviors[key].err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	w = newWriter()
	w.install = func(ctx context.Context, want release.Desired) (int, error) { return 1, act(ctx, want.Key) }
	w.upgrade = func(ctx context.Context, want release.Desired, _ release.Observed) (int, error) {
		return 8, act(ctx, want.Key)
	}
	w.adopt = func(ctx context.Context, have release.Observed) error { return act(ctx, have.Key) }
	w.uninstall = func(ctx context.Context, want release.Desired) error { return act(ctx, want.Key) }
	w.prune = w.adopt
	return w, maximum
}

// TestManyStepsAtOnce runs without a synctest bubble, so that the race detector sees goroutines in parallel.
func TestManyStepsAtOnce(t *testing.T) {
	var p plan.Plan
	for i := range 400 {
		var needs []string
		for need := i - 20; need >= 0 && need < i-15; need++ {
			needs = append(needs, fmt.Sprint(need))
		}
		p.Steps = append(p.Steps, step(fmt.Sprint(i), upgrade, needs...))
	}
	w := newWriter()
	w.upgrade = func(_ context.Context, want release.Desired, have release.Observed) (int, error) {
		return have.Revision + 1, nil
	}
	for _, o := range execute(t.Context(), p, w, 64) {
		if o.Result != Done || o.Revision != 8 {
			t.Errorf("%s: %s, revision %d: %v", o.Key, o.Result, o.Revision, o.Err)
		}
	}
}
