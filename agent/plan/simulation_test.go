package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Each simulation has its own random seed. In each, two instances manage releases in the same namespaces, and everything that can
// go wrong happens to them, see randomEvents and conditions. The file checked_writer_test.go says what must never happen. Its
// checks use the test's own model of the cluster, not the state that the code saves.
const (
	simulations  = 10_000
	minimumCount = simulations / 50 // the least number of times that each event must happen in all simulations together
)

func TestSimulations(t *testing.T) {
	var mu sync.Mutex
	counts := map[string]int{}
	t.Run("all", func(t *testing.T) {
		const parts = 4
		for part := range uint64(parts) {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				mine := map[string]int{}
				for seed := part; seed < simulations && !t.Failed(); seed += parts {
					simulate(t, seed, mine)
				}
				mu.Lock()
				defer mu.Unlock()
				for what, n := range mine {
					counts[what] += n
				}
			})
		}
	})
	for _, what := range requiredEvents() {
		if counts[what] < minimumCount {
			t.Errorf("%s: only %d times", what, counts[what])
		}
	}
}

func simulate(t *testing.T, seed uint64, counts map[string]int) {
	sim := newSimulation(seed, counts)
	for range 5 + sim.random.IntN(26) {
		sim.step()
	}
	sim.finish()
	if len(sim.failures) > 0 {
		t.Errorf("seed %d:\n%s\n\nafter\n%s", seed, strings.Join(sim.failures, "\n"), strings.Join(sim.log, "\n"))
	}
}

// requiredEvents are the events that must happen often enough to make the test meaningful.
func requiredEvents() []string {
	all := []string{"pruned by --prune-allow", "pruned in the end", "may stay in the end", "nothing left to do"}
	for _, a := range randomEvents {
		all = append(all, a.name)
	}
	for _, verb := range []plan.Verb{plan.Install, plan.Upgrade, plan.Uninstall, plan.Adopt, plan.Prune} {
		all = append(all, string(verb)+" done", string(verb)+" failed")
	}
	for _, verb := range []plan.Verb{plan.Unchanged, plan.Leave, plan.Mark, plan.Orphan, plan.Hold} {
		all = append(all, string(verb)+" done")
	}
	return append(all, "prune skipped", "refuse failed", "stopped at once", "stopped in the middle", "stopped at the end",
		"a selector", "a skipped state file", "an unreadable namespace", "too large a share")
}

// step lets some random events happen and then runs one of the instances.
func (sim *simulation) step() {
	sim.advanceClock(minutes(1 + sim.random.IntN(10)))
	a := pick(sim.random, sim.agents...)
	for sim.chance(60) {
		happening := pick(sim.random, randomEvents...)
		sim.record(happening.name)
		happening.to(sim, a)
	}
	sim.run(a, sim.randomConditions())
}

// finish stops all random events and checks what must be true after a few more runs.
func (sim *simulation) finish() {
	sim.record("finish")
	mayStay := map[release.Key]bool{}
	for _, found := range sim.cluster {
		if sim.mayBeInUse(found) {
			found.Status = "failed" // its client stops; if the clock went back, the release would look in use for years
		}
	}
	for _, a := range sim.agents {
		sim.allowPruning(a)
	}
	for _, a := range sim.agents {
		for key := range sim.orphans(a) {
			mayStay[key] = sim.mayStay(a, key)
		}
	}
	for range 5 {
		for _, a := range sim.agents {
			sim.advanceClock(minutes(10))
			before := len(sim.orphans(a))
			sim.run(a, conditions{})
			sim.counts["pruned in the end"] += before - len(sim.orphans(a))
		}
	}
	for _, a := range sim.agents {
		sim.checkFinished(a, mayStay)
	}
}

// allowPruning gives the instance a policy that allows pruning. It also removes releases from its helmfile that the other instance
// declares or owns.
func (sim *simulation) allowPruning(a *agent) {
	sim.commit(a, func() {
		for key := range a.helmfile {
			found, other := sim.cluster[key], sim.other(a)
			if found.ownedBy(other.name) || !found.ownedBy(a.name) && other.helmfile[key] != nil {
				delete(a.helmfile, key)
			}
		}
	})
	a.prune = plan.Pruning{Mode: plan.TwoStep, Grace: pick(sim.random, 0, minutes(15)), MaxShare: 100, Allow: pick(sim.random, "", a.revision)}
}

// mayStay says whether an orphan may stay for ever: a guard prevents pruning, or the instance no longer knows the namespace.
func (sim *simulation) mayStay(a *agent, key release.Key) bool {
	found := sim.cluster[key]
	declared := slices.ContainsFunc(keys, func(k release.Key) bool { return a.helmfile[k] != nil && k.Namespace == key.Namespace })
	unknown := !a.known[key.Namespace] && !declared && key.Namespace != ownNamespace
	markedElsewhere := slices.ContainsFunc(a.sightings[key], func(s sighting) bool { return s.origin != a.origin })
	guarded := found.Origin != a.origin || markedElsewhere || len(a.helmfile) == 0
	return found.Keep || found.KeptByHand || unknown || guarded && a.prune.Allow == ""
}

// checkFinished checks that only orphans that may stay are left, and that a further run has nothing to do.
func (sim *simulation) checkFinished(a *agent, mayStay map[release.Key]bool) {
	for key := range sim.orphans(a) {
		if !mayStay[key] {
			sim.fail("%s still has its orphan %s: %+v", a.name, key, sim.cluster[key].Observed)
		}
		sim.counts["may stay in the end"]++
	}
	previous, _ := release.DecodeState(a.state)
	for _, mark := range previous.Marks {
		if !mayStay[mark.Key] {
			sim.fail("%s still has the mark %+v", a.name, mark)
		}
	}
	before := a.state
	if changes := sim.run(a, conditions{}); len(changes) > 0 || len(previous.Marks) == 0 && a.state != before {
		sim.fail("%s still has something to do: %v\nstate  %s\nbefore %s", a.name, changes, a.state, before)
	}
	sim.counts["nothing left to do"]++
}

func (sim *simulation) orphans(a *agent) map[release.Key]bool {
	all := map[release.Key]bool{}
	for key, found := range sim.cluster {
		if found.ownedBy(a.name) && a.helmfile[key] == nil {
			all[key] = true
		}
	}
	return all
}

func (sim *simulation) fail(format string, args ...any) {
	sim.failures = append(sim.failures, fmt.Sprintf(format, args...))
}
