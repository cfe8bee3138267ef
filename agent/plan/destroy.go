package plan

import (
	"slices"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Destroy plans to uninstall every release that the instance owns, also the declared ones. It holds a release whose record is
// not proven, and refuses a release that another Helm client may be working on.
func Destroy(have []release.Observed, state release.InstanceState, policy Policy, now time.Time) Plan {
	rules := planner{policy: policy, now: now}
	var p Plan
	for i := range have {
		if have[i].Instance == policy.Instance && installed(&have[i]) {
			p.Steps = append(p.Steps, rules.destroyStep(&have[i]))
		}
	}
	slices.SortFunc(p.Steps, func(a, b Step) int { return a.Key.Compare(b.Key) })
	p.orderPrunes(state.Needs)
	return p
}

func (p planner) destroyStep(have *release.Observed) Step {
	step := Step{Key: have.Key, Verb: Prune, Why: "destroy uninstalls everything that the instance owns", Have: have, Owner: have.Owner}
	switch {
	case have.Damaged != "":
		step.Verb, step.Why = Hold, have.Damaged
	case p.mayBeInUse(*have, release.Options{}):
		step.Verb, step.Why = Refuse, p.inUseReason(*have, release.Options{})
	case !step.Proven():
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
		if !step.uninstallsOrphan() {
			continue
		}
		step.Phase = last + 1
		for _, key := range sortedUnique(slices.Clone(needs[step.Key.String()])) {
			needed := steps[key]
			if needed == nil || !needed.uninstallsOrphan() || waitsFor(steps, step.Key, key, map[release.Key]bool{}) {
				continue
			}
			needed.After = append(needed.After, step.Key)
			needed.Needs = append(needed.Needs, step.Key)
		}
	}
}

// uninstallsOrphan says whether the step uninstalls a release that is not declared, or refuses to. After a refusal, the releases that
// this one needs stay too.
func (s Step) uninstallsOrphan() bool { return s.Verb == Prune || s.Verb == Refuse && s.Want == nil }

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
