package plan

import (
	"slices"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Destroy plans to uninstall every release that the instance owns, also the declared ones. It holds a release whose record is
// not proven.
func Destroy(have []release.Observed, state release.InstanceState, instance string) Plan {
	var p Plan
	for i := range have {
		if have[i].Instance == instance && installed(&have[i]) {
			p.Steps = append(p.Steps, destroyStep(&have[i]))
		}
	}
	slices.SortFunc(p.Steps, func(a, b Step) int { return a.Key.Compare(b.Key) })
	p.orderPrunes(state.Needs)
	return p
}

func destroyStep(have *release.Observed) Step {
	step := Step{Key: have.Key, Verb: Prune, Why: "destroy uninstalls everything that the instance owns", Have: have, Owner: have.Owner}
	if !step.Proven() {
		step.Verb, step.Why = Hold, unproven+"; uninstall it with Helm"
	}
	return step
}

// orderPrunes puts prunes after all other steps. A release that needs another one is pruned before that other one. The needs
// were saved when each release was last declared. Needs from different times may form a cycle: orderPrunes then ignores the
// need that would close the cycle.
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
		for _, key := range sortedUnique(slices.Clone(needs[step.Key.String()])) {
			needed := steps[key]
			if needed == nil || needed.Verb != Prune || waitsFor(steps, step.Key, key, map[release.Key]bool{}) {
				continue
			}
			needed.After = append(needed.After, step.Key)
			needed.Needs = append(needed.Needs, step.Key)
		}
	}
}

// waitsFor says whether step is other, or waits for it directly or through further steps.
func waitsFor(steps map[release.Key]*Step, step, other release.Key, seen map[release.Key]bool) bool {
	if step == other {
		return true
	}
	if seen[step] {
		return false
	}
	seen[step] = true
	return slices.ContainsFunc(steps[step].After, func(key release.Key) bool { return waitsFor(steps, key, other, seen) })
}
