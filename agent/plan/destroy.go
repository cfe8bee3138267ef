package plan

import (
	"slices"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Destroy uninstalls everything that an instance owns, whatever is declared. It holds what is not proven to be the agent's own.
func Destroy(have []release.Observed, memory release.Memory, instance string) Plan {
	var p Plan
	for i := range have {
		if have[i].Instance == instance && installed(&have[i]) {
			p.Steps = append(p.Steps, destroyStep(&have[i]))
		}
	}
	slices.SortFunc(p.Steps, func(a, b Step) int { return a.Key.Compare(b.Key) })
	p.orderPrunes(memory.Needs)
	return p
}

func destroyStep(have *release.Observed) Step {
	step := Step{Key: have.Key, Verb: Prune, Why: "everything that the instance owns goes", Have: have, Owner: have.Owner}
	if !step.Proven() {
		step.Verb, step.Why = Hold, unproven+"; uninstall it with Helm"
	}
	return step
}

// orderPrunes puts pruning after all else, and what needs another release before that other. The needs are those that were
// remembered while the releases were declared, each at its own time: together they may form a circle, which is left open.
func (p *Plan) orderPrunes(needs map[string][]release.Key) {
	steps := index(p.Steps, func(s *Step) release.Key { return s.Key })
	last := 0
	for _, step := range steps {
		last = max(last, step.Phase)
	}
	for i := range p.Steps {
		step := &p.Steps[i]
		if step.Verb != Prune {
			continue
		}
		step.Phase = last + 1
		for _, key := range unique(slices.Clone(needs[step.Key.String()])) {
			needed := steps[key]
			if needed == nil || needed.Verb != Prune || waits(steps, step.Key, key, map[release.Key]bool{}) {
				continue
			}
			needed.After = append(needed.After, step.Key)
			needed.Needs = append(needed.Needs, step.Key)
		}
	}
}

// waits says whether the one step is or waits for the other, directly or by way of others.
func waits(steps map[release.Key]*Step, one, other release.Key, seen map[release.Key]bool) bool {
	if one == other {
		return true
	}
	if seen[one] {
		return false
	}
	seen[one] = true
	return slices.ContainsFunc(steps[one].After, func(key release.Key) bool { return waits(steps, key, other, seen) })
}
