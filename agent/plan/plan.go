// Package plan decides what should happen to every release, and why, and touches nothing: pure functions over what is
// wanted, what was found and what would be rendered; the time is an argument.
//
// It may import release.
package plan

import (
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Verb is what is to be done to one release.
type Verb string

const (
	Install   Verb = "install"
	Upgrade   Verb = "upgrade"
	Uninstall Verb = "uninstall"
	Adopt     Verb = "adopt"     // as declared already, but recorded as nobody's, or as declared elsewhere: only labels are written
	Relabel   Verb = "relabel"   // as declared already; what it is made from is recorded anew, as a label
	Correct   Verb = "correct"   // as declared, but live objects are not: these are patched or re-created
	Drifted   Verb = "drifted"   // the same, and somebody wishes to be told only
	Unchanged Verb = "unchanged" // as declared already
	Leave     Verb = "leave"     // declared, but disabled or not selected: neither installed nor uninstalled
	Mark      Verb = "mark"      // owned, but no longer declared: from now on waiting to be pruned
	Prune     Verb = "prune"     // owned, marked by an earlier run, still not declared: uninstalled
	Orphan    Verb = "orphan"    // owned, but no longer declared: reported only
	Hold      Verb = "hold"      // an orphan that a guard refuses to mark or prune
	Refuse    Verb = "refuse"    // cannot be done: the reason is the error
)

// Writes says whether doing the verb changes the cluster.
func (v Verb) Writes() bool {
	switch v {
	case Install, Upgrade, Uninstall, Adopt, Relabel, Correct, Prune:
		return true
	default:
		return false
	}
}

// Step is one release's part of a [Plan]. A Verb never travels without its Why.
type Step struct {
	release.Key
	Verb Verb
	Why  string // for people: "values changed: replicaCount", "chart 1.2.3 → 1.3.0"

	Want *release.Desired  // nil for orphans
	Have *release.Observed // nil when Helm's storage knows no such release
	Next *release.Rendered // nil unless a new revision was rendered

	// ToCorrect are those of the found drifts that are to be corrected.
	ToCorrect []release.Drift

	// Owner is what the release's labels should say once the step is done.
	Owner release.Owner
	// Mark is the mark that an earlier run left; NewMark is the one that this run sets. Both are nil for most.
	Mark, NewMark *release.Mark

	// Phase orders the steps: those of a lower phase end before those of a higher one begin.
	Phase int
	// After are the steps of the same phase that must end before this one begins.
	After []release.Key
	// Needs are the releases whose failure makes this step pointless.
	Needs []release.Key
}

// Owned says whether the release that was found is that of the planning instance.
func (s Step) Owned() bool { return s.Have != nil && s.Have.Instance == s.Owner.Instance }

// Proven says that the agent wrote the release's newest record itself, or would write the same. Only then may the agent use
// its own rights for what the record names.
func (s Step) Proven() bool {
	return s.Have != nil && (s.Have.Trusted || s.Next != nil && s.Next.Reproduced)
}

// unproven is the reason to leave alone what a record names.
const unproven = "its record was not written by this agent, or was changed since"

// Plan is every declared and every owned release, each with exactly one step, ordered by key.
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
