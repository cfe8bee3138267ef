package apply

import "github.com/helmfile-agent/helmfile-agent/agent/plan"

// Look is what is known before anything is written: steps that would write have no result yet.
func Look(p plan.Plan) []Outcome {
	outcomes := make([]Outcome, len(p.Steps))
	for i, step := range p.Steps {
		outcomes[i] = settled(step)
		if step.Verb.Writes() {
			outcomes[i].Result = ""
		}
	}
	return outcomes
}
