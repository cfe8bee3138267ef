package apply

import "github.com/helmfile-agent/helmfile-agent/agent/plan"

// Preview returns the outcomes before execution. Steps that would write have no result yet.
func Preview(p plan.Plan) []Outcome {
	outcomes := make([]Outcome, len(p.Steps))
	for i, step := range p.Steps {
		outcomes[i] = outcomeWithoutWrite(step)
		if step.Verb.Writes() {
			outcomes[i].Result = ""
		}
	}
	return outcomes
}
