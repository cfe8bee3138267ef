package plan

import (
	"slices"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// order sets the phase and the predecessors of every declared step. As in helmfile, state files follow one another, and in each
// file the uninstalls come first. Within a phase, a needed release is installed first and uninstalled last.
func (p *Plan) order() {
	steps := index(p.Steps, func(s *Step) release.Key { return s.Key })
	for i := range p.Steps {
		step := &p.Steps[i]
		if step.Want == nil {
			continue
		}
		step.Phase = 2 * step.Want.Stage
		if step.Verb != Uninstall {
			step.Phase++
		}
	}
	for i := range p.Steps {
		step := &p.Steps[i]
		if step.Want == nil {
			continue
		}
		for _, key := range step.Want.Needs {
			if needed := steps[key]; needed != nil && needed.Want != nil {
				orderPair(step, needed)
			}
		}
	}
	for i := range p.Steps {
		step := &p.Steps[i]
		step.After, step.Needs = sortedUnique(step.After), sortedUnique(step.Needs)
	}
}

// orderPair orders two steps, of which the first needs the release of the second.
func orderPair(step, needed *Step) {
	switch {
	case step.Verb == Uninstall && needed.Verb == Uninstall:
		needed.Needs = append(needed.Needs, step.Key)
		if needed.Phase == step.Phase {
			needed.After = append(needed.After, step.Key)
		}
	case staysInstalled(step) && staysInstalled(needed):
		step.Needs = append(step.Needs, needed.Key)
		if needed.Phase == step.Phase {
			step.After = append(step.After, needed.Key)
		}
	}
	// If one of the two is installed and the other is uninstalled, only their phases order them; helmfile just warns.
	// A release that is disabled, not selected or already uninstalled does not wait, and no other release waits for it.
}

func staysInstalled(step *Step) bool { return step.Want.State == release.Installed }

func sortedUnique(keys []release.Key) []release.Key {
	slices.SortFunc(keys, release.Key.Compare)
	return slices.Compact(keys)
}
