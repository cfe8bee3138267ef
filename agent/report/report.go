package report

import (
	"slices"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/source/revision"
)

const (
	// Diff is the command that changes nothing: its report says what a run would do.
	Diff = "diff"
	// Access is the command that only checks rights.
	Access = "access"
)

// Report is the complete result of a run.
type Report struct {
	Command     string // "run", "destroy", [Diff] or [Access]
	Instance    string
	Namespace   string
	Environment string

	Source   revision.Revision
	Started  time.Time
	Took     time.Duration
	Outcomes []apply.Outcome
	Warnings []string
	// Confined says how the kernel confined the process that read the repository; empty if the repository was not read.
	Confined string
	// Rights are the rights that the agent needs, as far as [Access] could find out.
	Rights []Right
	// Grant is YAML for kubectl apply that grants the missing rights; empty when no right is known to be missing.
	Grant string
	// Err is the error that ended the run early; nil when the run executed every step.
	Err error

	mask func(string) string // nil until [Report.Masked]
}

// Code is the exit code: that of Err, otherwise ReleasesFailed if a release is not as declared, otherwise PruneRefused if a guard
// refused to prune a release.
func (r Report) Code() exit.Code {
	switch {
	case r.Err != nil:
		return exit.Of(r.Err)
	case slices.ContainsFunc(r.Outcomes, notConverged):
		return exit.ReleasesFailed
	case slices.ContainsFunc(r.Outcomes, held):
		return exit.PruneRefused
	default:
		return exit.Converged
	}
}

// Differs says whether any object was written or would be. diff --detailed-exitcode uses it.
func (r Report) Differs() bool {
	return slices.ContainsFunc(r.Outcomes, func(o apply.Outcome) bool { return o.Verb.Writes() && !labelsOnly(o) })
}

func labelsOnly(o apply.Outcome) bool { return o.Verb == plan.Adopt || o.Verb == plan.Relabel }

// notConverged says that the release is not as declared. A skipped release counts, because its step was not executed.
func notConverged(o apply.Outcome) bool {
	return hasError(o) || statusOf(o) == skipped
}

// hasError says that the release failed or was refused, so that it has an error of its own.
func hasError(o apply.Outcome) bool {
	status := statusOf(o)
	return status == failed || status == refused
}

// held says that a guard refused to prune the release, so that a person should look at it.
func held(o apply.Outcome) bool { return statusOf(o) == hold }

// sorted returns the outcomes ordered by key.
func (r Report) sorted() []apply.Outcome {
	return slices.SortedStableFunc(slices.Values(r.Outcomes), func(a, b apply.Outcome) int {
		return a.Key.Compare(b.Key)
	})
}

// planned says that the step has not been executed, so that the report uses words such as "to install". A refusal is final and
// never planned. A mark is set only when the run saves its state at its end, so it is planned if the run ended early.
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
