package report

import (
	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// A fate is what became of a step. Every outcome has exactly one, so that counts of fates add up.
type fate string

const (
	failed     fate = "failed"
	refused    fate = "refused"
	skipped    fate = "skipped"
	install         = fate(plan.Install)
	upgrade         = fate(plan.Upgrade)
	uninstall       = fate(plan.Uninstall)
	prune           = fate(plan.Prune)
	adopt           = fate(plan.Adopt)
	relabel         = fate(plan.Relabel)
	correct         = fate(plan.Correct)
	drifted         = fate(plan.Drifted)
	mark            = fate(plan.Mark)
	hold            = fate(plan.Hold)
	orphan          = fate(plan.Orphan)
	unchanged       = fate(plan.Unchanged)
	disabled   fate = "disabled"
	unselected fate = "unselected"
)

// fates lists every fate with its words, in the order in which a reader wants to hear of them.
var fates = []struct {
	fate
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
	{relabel, "recorded", "to record", plain},
	{hold, "held", "held", red},
	{mark, "marked", "to mark", cyan},
	{orphan, "orphaned", "orphaned", cyan},
	{unchanged, "unchanged", "unchanged", plain},
	{disabled, "disabled", "disabled", plain},
	{unselected, "unselected", "unselected", plain},
}

func fateOf(o apply.Outcome) fate {
	switch {
	case o.Verb == plan.Refuse: // refused before it could fail or be skipped
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
		return fate(o.Verb)
	}
}

// word says what became of the outcome, or what is to become of it.
func (r Report) word(o apply.Outcome) string {
	for _, row := range fates {
		switch {
		case row.fate != fateOf(o):
		case r.planned(o):
			return row.todo
		default:
			return row.done
		}
	}
	return string(o.Verb)
}

func colorOf(o apply.Outcome) color {
	for _, row := range fates {
		if row.fate == fateOf(o) {
			return row.color
		}
	}
	return plain
}
