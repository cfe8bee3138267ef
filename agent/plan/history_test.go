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

// histories are lived through, each from its own seed. In each, two instances look after the same namespaces, and everything
// happens to them that can, see accidents and circumstance. What must never happen is written down in judge_test.go, and judged
// by what really happened, not by what the code remembers of it.
const (
	histories = 10_000
	enough    = histories / 50 // times that each thing must have happened in all histories together
)

func TestHistories(t *testing.T) {
	var mu sync.Mutex
	happened := map[string]int{}
	t.Run("all", func(t *testing.T) {
		const parts = 4
		for part := range uint64(parts) {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				mine := map[string]int{}
				for seed := part; seed < histories && !t.Failed(); seed += parts {
					live(t, seed, mine)
				}
				mu.Lock()
				defer mu.Unlock()
				for what, n := range mine {
					happened[what] += n
				}
			})
		}
	})
	for _, what := range everything() {
		if happened[what] < enough {
			t.Errorf("%s: only %d times", what, happened[what])
		}
	}
}

func live(t *testing.T, seed uint64, happened map[string]int) {
	h := begin(seed, happened)
	for range 5 + h.random.IntN(26) {
		h.turn()
	}
	h.settle()
	if len(h.broken) > 0 {
		t.Errorf("seed %d:\n%s\n\nafter\n%s", seed, strings.Join(h.broken, "\n"), strings.Join(h.log, "\n"))
	}
}

// everything is what must have happened often enough for the test to mean something.
func everything() []string {
	all := []string{"pruned by --prune-allow", "pruned in the end", "excused in the end", "nothing left to do"}
	for _, a := range accidents {
		all = append(all, a.name)
	}
	for _, verb := range []plan.Verb{plan.Install, plan.Upgrade, plan.Uninstall, plan.Adopt, plan.Prune} {
		all = append(all, string(verb)+" done", string(verb)+" failed")
	}
	for _, verb := range []plan.Verb{plan.Unchanged, plan.Leave, plan.Mark, plan.Orphan, plan.Hold} {
		all = append(all, string(verb)+" done")
	}
	return append(all, "prune skipped", "refuse failed", "stopped at once", "stopped in the middle", "stopped at the end",
		"a selector", "a state file passed over", "a namespace unread", "objection: share")
}

// turn lets something happen, and then one of the instances run.
func (h *history) turn() {
	h.pass(minutes(1 + h.random.IntN(10)))
	a := pick(h.random, h.agents...)
	for h.chance(60) {
		happening := pick(h.random, accidents...)
		h.note(happening.name)
		happening.to(h, a)
	}
	h.run(a, h.circumstances(a))
}

// settle stops all accidents and says what must be true after a few more runs: liveness.
func (h *history) settle() {
	h.note("settle")
	excused := map[release.Key]bool{}
	for _, a := range h.agents {
		h.calm(a)
	}
	for _, a := range h.agents {
		for key := range h.orphans(a) {
			excused[key] = h.excused(a, key)
		}
	}
	for range 5 {
		for _, a := range h.agents {
			h.pass(minutes(10))
			before := len(h.orphans(a))
			h.run(a, circumstance{})
			h.happened["pruned in the end"] += before - len(h.orphans(a))
		}
	}
	for _, a := range h.agents {
		h.settled(a, excused)
	}
}

// calm gives the instance a policy that lets pruning happen, and ends its quarrels with the other.
func (h *history) calm(a *agent) {
	h.commit(a, func() {
		for key := range a.helmfile {
			found, other := h.cluster[key], h.other(a)
			if found.ownedBy(other.name) || !found.ownedBy(a.name) && other.helmfile[key] != nil {
				delete(a.helmfile, key)
			}
		}
	})
	a.prune = plan.Pruning{Mode: plan.TwoStep, Grace: pick(h.random, 0, minutes(15)), MaxShare: 100, Allow: pick(h.random, "", a.revision)}
}

// excused orphans need not go: a guard holds for ever, or nothing says any more where they are.
func (h *history) excused(a *agent, key release.Key) bool {
	found := h.cluster[key]
	declared := slices.ContainsFunc(keys, func(k release.Key) bool { return a.helmfile[k] != nil && k.Namespace == key.Namespace })
	lost := !a.known[key.Namespace] && !declared && key.Namespace != ownNamespace
	markedElsewhere := slices.ContainsFunc(a.sightings[key], func(s sighting) bool { return s.origin != a.origin })
	doubtful := found.Origin != a.origin || markedElsewhere || len(a.helmfile) == 0
	return found.Keep || found.KeptByHand || lost || doubtful && a.prune.Allow == ""
}

// settled checks that only excused orphans are left, and that there is nothing to do any more.
func (h *history) settled(a *agent, excused map[release.Key]bool) {
	for key := range h.orphans(a) {
		if !excused[key] {
			h.fail("%s still has its orphan %s: %+v", a.name, key, h.cluster[key].Observed)
		}
		h.happened["excused in the end"]++
	}
	was, _ := release.DecodeMemory(a.memory)
	for _, mark := range was.Marks {
		if !excused[mark.Key] {
			h.fail("%s still has the mark %+v", a.name, mark)
		}
	}
	before := a.memory
	if changes := h.run(a, circumstance{}); len(changes) > 0 || len(was.Marks) == 0 && a.memory != before {
		h.fail("%s still has something to do: %v\nmemory %s\nbefore %s", a.name, changes, a.memory, before)
	}
	h.happened["nothing left to do"]++
}

func (h *history) orphans(a *agent) map[release.Key]bool {
	all := map[release.Key]bool{}
	for key, found := range h.cluster {
		if found.ownedBy(a.name) && a.helmfile[key] == nil {
			all[key] = true
		}
	}
	return all
}

func (h *history) fail(format string, args ...any) {
	h.broken = append(h.broken, fmt.Sprintf(format, args...))
}
