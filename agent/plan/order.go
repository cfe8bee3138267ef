package plan

import (
	"slices"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// order gives every step its place: state file by state file, and in each the uninstalls before all else, as helmfile
// does it; within that, what is needed comes first, and when uninstalling last.
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
				link(step, needed)
			}
		}
	}
	for i := range p.Steps {
		step := &p.Steps[i]
		step.After, step.Needs = unique(step.After), unique(step.Needs)
	}
}

// link orders two steps of which one needs the other's release.
func link(step, needed *Step) {
	switch {
	case step.Verb == Uninstall && needed.Verb == Uninstall:
		needed.Needs = append(needed.Needs, step.Key)
		if needed.Phase == step.Phase {
			needed.After = append(needed.After, step.Key)
		}
	case stays(step) && stays(needed):
		step.Needs = append(step.Needs, needed.Key)
		if needed.Phase == step.Phase {
			step.After = append(step.After, needed.Key)
		}
	}
	// A release that stays while what it needs goes, or the reverse, is ordered by the phases alone: helmfile only warns.
	// One that is disabled, not selected, or gone already has nothing to wait for, and nobody waits for it.
}

func stays(step *Step) bool { return step.Want.State == release.Installed }

func unique(keys []release.Key) []release.Key {
	slices.SortFunc(keys, release.Key.Compare)
	return slices.Compact(keys)
}
