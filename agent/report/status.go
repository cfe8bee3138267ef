package report

import (
	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// status is the status of a release in the report. Every outcome has exactly one.
type status string

const (
	failed     status = "failed"
	refused    status = "refused"
	skipped    status = "skipped"
	install           = status(plan.Install)
	upgrade           = status(plan.Upgrade)
	uninstall         = status(plan.Uninstall)
	prune             = status(plan.Prune)
	adopt             = status(plan.Adopt)
	relabel           = status(plan.Relabel)
	correct           = status(plan.Correct)
	drifted           = status(plan.Drifted)
	mark              = status(plan.Mark)
	hold              = status(plan.Hold)
	orphan            = status(plan.Orphan)
	unchanged         = status(plan.Unchanged)
	disabled   status = "disabled"
	unselected status = "unselected"
)

// statuses lists every status with its words for the past and the future. The summary uses this order.
var statuses = []struct {
	status
	done, todo string
	color      color
}{
	{failed, "failed", "failed", red},
	{refused, "refused", "refused", red},
	{skipped, "skipped", "skipped", red},
	{install, "installed", "to install", green},
	{upgrade, "upgraded", "to upgrade", green},
	{uninstall, "uninstalled", "to uninstall", green},
	{prune, "pruned", "to prune", green},
	{correct, "corrected", "to correct", green},
	{drifted, "drifted", "drifted", cyan},
	{adopt, "adopted", "to adopt", green},
	{relabel, "relabelled", "to relabel", plain},
	{hold, "held", "held", red},
	{mark, "marked", "to mark", cyan},
	{orphan, "orphaned", "orphaned", cyan},
	{unchanged, "unchanged", "unchanged", plain},
	{disabled, "disabled", "disabled", plain},
	{unselected, "unselected", "unselected", plain},
}

func statusOf(o apply.Outcome) status {
	switch {
	case o.Verb == plan.Refuse: // a refusal counts also if its result is failed or skipped
		return refused
	case o.Result == apply.Failed:
		return failed
	case o.Result == apply.Skipped:
		return skipped
	case o.Verb == plan.Leave && o.Want != nil && o.Want.State == release.Unselected:
		return unselected
	case o.Verb == plan.Leave:
		return disabled
	default:
		return status(o.Verb)
	}
}

// statusWord is the word for the status, such as "installed", or "to install" if the step has not been executed.
func (r Report) statusWord(o apply.Outcome) string {
	for _, row := range statuses {
		switch {
		case row.status != statusOf(o):
		case r.planned(o):
			return row.todo
		default:
			return row.done
		}
	}
	return string(o.Verb)
}

func colorOf(o apply.Outcome) color {
	for _, row := range statuses {
		if row.status == statusOf(o) {
			return row.color
		}
	}
	return plain
}
