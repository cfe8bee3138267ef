package plan

import (
	"fmt"
	"strings"
)

// A guard checks one reason not to prune an orphan.
type guard struct {
	// why returns the reason, or an empty string when the guard does not apply.
	why func(planner, Step) string
	// reportOnly guards follow a setting of the user: the orphan is only reported, and the run still counts as successful.
	reportOnly bool
	// overrulable guards do not apply to a commit that --prune-allow names.
	overrulable bool
}

// guards are checked in this order, and the first one with a reason decides. Two more checks follow when none has a reason:
// the clock, and at last the share of all releases, see enforceMaxShare.
var guards = []guard{
	{why: pruningDisabled, reportOnly: true},
	{why: selectorInUse, reportOnly: true},
	{why: keepRequested, reportOnly: true},
	{why: recordDamaged},
	{why: recordNotProven},
	{why: stateFilesSkipped},
	{why: nothingDeclared, overrulable: true},
	{why: otherOrigin, overrulable: true},
}

func pruningDisabled(p planner, _ Step) string {
	switch p.policy.Prune.Mode {
	case Off:
		return "pruning is off"
	case ReportOnly:
		return "pruning is set to report only"
	default:
		return ""
	}
}

func selectorInUse(p planner, _ Step) string {
	if p.policy.SelectorInUse {
		return "a selector is in use"
	}
	return ""
}

func keepRequested(_ planner, s Step) string {
	if s.Have.Keep || s.Have.KeptByHand {
		return "a label or an annotation says to keep it"
	}
	return ""
}

func recordDamaged(_ planner, s Step) string { return s.Have.Damaged }

// recordNotProven: any client that may write Secrets can forge a record, and pruning would delete the objects in it.
func recordNotProven(_ planner, s Step) string {
	if s.Proven() {
		return ""
	}
	return unproven + "; " + unprovenHint
}

// unprovenHint says what to do about an orphan that the agent does not uninstall.
const unprovenHint = "declare it again, or uninstall it with Helm"

// stateFilesSkipped: helmfile skips a state file that does not define the environment, together with its releases.
func stateFilesSkipped(p planner, _ Step) string {
	if len(p.policy.SkippedFiles) == 0 {
		return ""
	}
	return "helmfile skipped state files: " + strings.Join(p.policy.SkippedFiles, ", ")
}

// nothingDeclared: an empty helmfile is more often a mistake than an intention.
func nothingDeclared(p planner, _ Step) string {
	if p.declared > 0 {
		return ""
	}
	return "the helmfile declares no releases: " + p.allowHint()
}

// otherOrigin: a change of the repository, the path or the environment may not be meant to remove the releases of the former
// one.
func otherOrigin(p planner, s Step) string {
	switch {
	case p.policy.Origin == "":
		return ""
	case s.Have.Origin != p.policy.Origin:
		return "it was installed from another repository, path or environment: " + p.allowHint()
	case s.Mark != nil && s.Mark.Origin != p.policy.Origin:
		return "it was marked by a run for another repository, path or environment: " + p.allowHint()
	default:
		return ""
	}
}

func clockWentBack(p planner, s Step) string {
	if s.Mark == nil || !p.now.Before(s.Mark.Since) {
		return ""
	}
	return fmt.Sprintf("the clock went back: the mark is from %s, and it is now %s; it is marked again", timestamp(s.Mark.Since), timestamp(p.now))
}

// allowHint says how a person can overrule a guard.
func (p planner) allowHint() string {
	return "if this is intended, allow it with --prune-allow " + shortCommit(p.policy.Commit)
}

// pruneAllowed says whether --prune-allow names the commit of this run.
func (p planner) pruneAllowed() bool {
	allow := p.policy.Prune.Allow
	return allow != "" && strings.HasPrefix(p.policy.Commit, allow)
}
