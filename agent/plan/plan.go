// Package plan decides what to do with every release, and why. It has only pure functions: the desired, the observed and the
// rendered releases and the time are arguments, and nothing is read or written.
//
// It may import package release.
package plan

import (
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Verb is the action for one release.
type Verb string

// The verbs.
const (
	Install   Verb = "install"
	Upgrade   Verb = "upgrade"
	Uninstall Verb = "uninstall"
	Adopt     Verb = "adopt"     // as declared, but its labels name no instance, or another origin: only labels are written
	Relabel   Verb = "relabel"   // as declared, but the fingerprint of its inputs is missing or old: a new one is written as a label
	Correct   Verb = "correct"   // as declared, but live objects have drifted: the agent patches or creates them
	Drifted   Verb = "drifted"   // as declared, but live objects have drifted: the agent only reports them
	Unchanged Verb = "unchanged" // as declared
	Leave     Verb = "leave"     // declared, but disabled or not selected: neither installed nor uninstalled
	Mark      Verb = "mark"      // owned, but no longer declared: a later run prunes it
	Prune     Verb = "prune"     // owned, no longer declared, and marked by an earlier run: it is uninstalled
	Orphan    Verb = "orphan"    // owned, but no longer declared: it is only reported
	Hold      Verb = "hold"      // owned, but no longer declared: a guard refuses to mark or prune it
	Refuse    Verb = "refuse"    // impossible: the reason is the error
)

// Writes says whether the verb writes to the cluster.
func (v Verb) Writes() bool {
	switch v {
	case Install, Upgrade, Uninstall, Adopt, Relabel, Correct, Prune:
		return true
	default:
		return false
	}
}

// Step is the part of a [Plan] that is about one release. Every Verb comes with its reason, Why.
type Step struct {
	release.Key
	Verb Verb
	Why  string // for people: "values changed: replicaCount", "chart 1.2.3 → 1.3.0"

	Want *release.Desired  // nil for orphans
	Have *release.Observed // nil when Helm's storage has no such release
	Next *release.Rendered // nil unless a new revision was rendered

	// ToCorrect are the drifts in Have that the agent corrects.
	ToCorrect []release.Drift

	// Owner is the content of the release's labels after the step.
	Owner release.Owner
	// Mark is the mark that an earlier run set, NewMark the one that this run sets. Most steps have neither.
	Mark, NewMark *release.Mark

	// Phase orders the steps: all steps of a lower phase end before any step of a higher phase begins.
	Phase int
	// After are the steps of the same phase that must end before this one begins.
	After []release.Key
	// Needs are the releases that this step depends on: if one of them fails, this step is skipped.
	Needs []release.Key
}

// Owned says whether the instance that makes the plan owns the observed release.
func (s Step) Owned() bool { return s.Have != nil && s.Have.Instance == s.Owner.Instance }

// Proven says that the agent wrote the release's newest record, or would write an equal one. Only then does the agent use its
// own rights for the objects in the record.
func (s Step) Proven() bool {
	return s.Have != nil && (s.Have.Trusted || s.Next != nil && s.Next.Reproduced)
}

// unproven is the reason not to change the objects in a record.
const unproven = "its record was not written by this agent, or was changed since"

// Plan has exactly one step for every declared and every owned release, ordered by key.
type Plan struct {
	Steps []Step
}

// Changes are the steps that write to the cluster.
func (p Plan) Changes() []Step {
	var changes []Step
	for _, step := range p.Steps {
		if step.Verb.Writes() {
			changes = append(changes, step)
		}
	}
	return changes
}
