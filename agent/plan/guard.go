package plan

import (
	"fmt"
	"strings"
)

// A guard is a reason not to prune, in words; it is empty when there is none.
type guard struct {
	why func(maker, Step) string
	// chosen guards are somebody's wish: the orphan is reported, and nothing is refused.
	chosen bool
	// overrulable guards give way to --prune-allow for one commit.
	overrulable bool
}

// guards are asked in this order; the first that has a reason counts. The clock is looked at when they have none, and the
// share of all at last, see limit.
var guards = []guard{
	{why: switchedOff, chosen: true},
	{why: selecting, chosen: true},
	{why: kept, chosen: true},
	{why: recordUnproven},
	{why: passedOver},
	{why: nothingDeclared, overrulable: true},
	{why: otherOrigin, overrulable: true},
}

func switchedOff(m maker, _ Step) string {
	switch m.policy.Prune.Mode {
	case Off:
		return "pruning is off"
	case ReportOnly:
		return "pruning only reports"
	default:
		return ""
	}
}

func selecting(m maker, _ Step) string {
	if m.policy.Selecting {
		return "a selector is in use"
	}
	return ""
}

func kept(_ maker, s Step) string {
	if s.Have.Keep || s.Have.KeptByHand {
		return "it is to be kept"
	}
	return ""
}

// recordUnproven: anyone who may write Secrets can forge a record, and pruning would delete what it names.
func recordUnproven(_ maker, s Step) string {
	if s.Proven() {
		return ""
	}
	return unproven + "; " + unprovenAdvice
}

// unprovenAdvice is what to do about an orphan that cannot be uninstalled.
const unprovenAdvice = "declare it again, or uninstall it with Helm"

// passedOver: helmfile ignores a state file that does not define the environment, and what it declares with it.
func passedOver(m maker, _ Step) string {
	if len(m.policy.PassedOver) == 0 {
		return ""
	}
	return "the helmfile was not completely loaded: " + strings.Join(m.policy.PassedOver, ", ")
}

// nothingDeclared: an emptied helmfile is more often an accident than a wish.
func nothingDeclared(m maker, _ Step) string {
	if m.declared > 0 {
		return ""
	}
	return "the helmfile declares nothing at all: " + m.advice()
}

// otherOrigin: whoever changes the repository, the path or the environment may not have meant the releases of the former one.
func otherOrigin(m maker, s Step) string {
	switch {
	case m.policy.Origin == "":
		return ""
	case s.Have.Origin != m.policy.Origin:
		return "it was installed from another repository, path or environment: " + m.advice()
	case s.Mark != nil && s.Mark.Origin != m.policy.Origin:
		return "it was marked by another repository, path or environment: " + m.advice()
	default:
		return ""
	}
}

func clockWentBack(m maker, s Step) string {
	if s.Mark == nil || !m.now.Before(s.Mark.Since) {
		return ""
	}
	return fmt.Sprintf("the clock went back: it was marked %s, and now is %s; marked anew", stamp(s.Mark.Since), stamp(m.now))
}

// advice is what to do about a guard that a person may overrule.
func (m maker) advice() string {
	return "if that is meant, allow it with --prune-allow " + short(m.policy.Commit)
}

// allowed says whether a person lets this commit's prunes through.
func (m maker) allowed() bool {
	allow := m.policy.Prune.Allow
	return allow != "" && strings.HasPrefix(m.policy.Commit, allow)
}
