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
			w, most := randomWriter(random, p)
			ctx := t.Context()
			stopped := random.IntN(4) == 0
			if stopped {
				timed, stop := context.WithTimeout(ctx, time.Duration(random.IntN(8000))*time.Millisecond)
				defer stop()
				ctx = timed
			}
			concurrency := 1 + random.IntN(16)
			outcomes := do(ctx, p, w, concurrency)
			if most.Load() > int64(concurrency) {
				t.Errorf("%d steps at once, allowed are %d", most.Load(), concurrency)
			}
			for name, err := range map[string]error{
				"every step has its outcome, in order":                everyOutcome(p, outcomes),
				"no step starts before all it waits for has ended":    startedInOrder(p, w),
				"what failed, fails what needs it":                    failureSpreads(outcomes, stopped),
				"and nobody else":                                     failureIsExplained(outcomes, stopped),
				"nothing is pruned in a run in which anything failed": prunedInPeace(outcomes),
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
			return fmt.Errorf("%s became of %s: %v", o.Result, p.Steps[i].Key, o.Err)
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

// failureSpreads checks that nothing was done on top of what is not in place, which a stopped run leaves open for steps
// that write nothing.
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
		if o.Verb == prune && !inPeace(outcomes) {
			continue
		}
		if o.Result == Skipped && !unmet && !stopped {
			return fmt.Errorf("%s is skipped though all it needs is in place: %w", o.Key, o.Err)
		}
		if o.Result == Skipped && !stopped && results[failedName(o.Err)] != Failed {
			return fmt.Errorf("%s is skipped because %q, which did not fail", o.Key, o.Err)
		}
	}
	return nil
}

func prunedInPeace(outcomes []Outcome) error {
	for _, o := range outcomes {
		if o.Verb == prune && o.Result != Skipped && !inPeace(outcomes) {
			return fmt.Errorf("%s was %s", o.Key, o.Result)
		}
	}
	return nil
}

// inPeace says that everything but pruning is done.
func inPeace(outcomes []Outcome) bool {
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

// randomPlan has up to 30 steps, phases 0 to 3 and 4 for what is pruned, and needs that point to steps with a lower number.
func randomPlan(random *rand.Rand) plan.Plan {
	verbs := []plan.Verb{install, install, upgrade, upgrade, adopt, uninstall, unchanged, plan.Refuse, plan.Orphan, plan.Mark, plan.Hold, prune, prune}
	if random.IntN(2) == 0 {
		verbs = slices.DeleteFunc(verbs, func(verb plan.Verb) bool { return verb == plan.Refuse }) // or next to nothing is pruned
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

// randomWriter takes a random time for each release and fails one in sixteen. It counts how many are worked on at once.
func randomWriter(random *rand.Rand, p plan.Plan) (w *fakeWriter, most *atomic.Int64) {
	type fate struct {
		takes time.Duration
		err   error
	}
	fates := map[release.Key]fate{}
	for _, s := range p.Steps {
		f := fate{takes: time.Duration(random.IntN(1500)) * time.Millisecond}
		if random.IntN(16) == 0 {
			f.err = errors.New("boom")
		}
		fates[s.Key] = f
	}
	var now atomic.Int64
	most = &atomic.Int64{}
	act := func(ctx context.Context, key release.Key) error {
		n := now.Add(1)
		defer now.Add(-1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		select {
		case <-time.After(fates[key].takes):
			return fates[key].err
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
	return w, most
}

// No bubble here: real goroutines on real processors, for the race detector.
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
	for _, o := range do(t.Context(), p, w, 64) {
		if o.Result != Done || o.Revision != 8 {
			t.Errorf("%s: %s, revision %d: %v", o.Key, o.Result, o.Revision, o.Err)
		}
	}
}
