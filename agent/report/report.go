package report

import (
	"slices"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/source"
)

const (
	// Diff is the Command that only looks: its report says what would be done.
	Diff = "diff"
	// Access is the Command that only asks what is allowed.
	Access = "access"
)

// Report is everything a run has to say.
type Report struct {
	Command     string // "run", "destroy", [Diff] or [Access]
	Instance    string
	Namespace   string
	Environment string

	Source   source.Revision
	Started  time.Time
	Took     time.Duration
	Outcomes []apply.Outcome
	Warnings []string
	// Confined says what the kernel protected while the repository was read; empty if it was not read.
	Confined string
	// Rights are what the agent needs, as far as [Access] found out.
	Rights []Right
	// Grant is YAML for kubectl apply that would grant the rights that are not allowed; empty when none is known to be.
	Grant string
	// Err is what ended the run early; nil when every step was reached.
	Err error

	mask func(string) string // nil until [Report.Masked]
}

// Code is the status to exit with: that of Err, else ReleasesFailed when a release is not as declared, else PruneRefused
// when a guard keeps what is no longer declared.
func (r Report) Code() exit.Code {
	switch {
	case r.Err != nil:
		return exit.Of(r.Err)
	case slices.ContainsFunc(r.Outcomes, fellShort):
		return exit.ReleasesFailed
	case slices.ContainsFunc(r.Outcomes, held):
		return exit.PruneRefused
	default:
		return exit.Converged
	}
}

// Differs says whether any object is to be written, or was: what diff --detailed-exitcode answers.
func (r Report) Differs() bool {
	return slices.ContainsFunc(r.Outcomes, func(o apply.Outcome) bool { return o.Verb.Writes() && !labelsOnly(o) })
}

func labelsOnly(o apply.Outcome) bool { return o.Verb == plan.Adopt || o.Verb == plan.Relabel }

// fellShort counts what was skipped as well: a run that did not begin a step cannot claim to have converged.
func fellShort(o apply.Outcome) bool {
	return broken(o) || fateOf(o) == skipped
}

// broken outcomes have an error of their own.
func broken(o apply.Outcome) bool {
	fate := fateOf(o)
	return fate == failed || fate == refused
}

// held orphans are kept by a guard, and a person should look.
func held(o apply.Outcome) bool { return fateOf(o) == hold }

// sorted are the outcomes by key; steps end in any order.
func (r Report) sorted() []apply.Outcome {
	return slices.SortedStableFunc(slices.Values(r.Outcomes), func(a, b apply.Outcome) int {
		return a.Key.Compare(b.Key)
	})
}

// planned outcomes have not happened: the words for them look ahead. A refusal is one already, whether anything is to be done
// or not. A mark is set by writing it down, which is the last thing that a run does, and only if nothing ended it early.
func (r Report) planned(o apply.Outcome) bool {
	switch {
	case o.Verb == plan.Refuse:
		return false
	case r.Command == Diff || o.Result == "":
		return true
	default:
		return o.NewMark != nil && r.Err != nil
	}
}

// revision is the newest revision of the release, 0 when there is none.
func (r Report) revision(o apply.Outcome) int {
	if o.Revision == 0 && o.Have != nil && r.planned(o) {
		return o.Have.Revision
	}
	return o.Revision
}
