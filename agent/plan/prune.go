package plan

import (
	"fmt"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Pruning says what to do with orphans: releases that this instance owns and that are no longer declared.
type Pruning struct {
	Mode     string        // TwoStep, ReportOnly or Off
	Grace    time.Duration // the least age of a mark; 0 prunes in the next run
	MaxShare int           // the percentage of all releases that one run may prune
	Allow    string        // the commit, or its first characters, for which a person overrules the guards
}

// The modes of pruning.
const (
	TwoStep    = "two-step"
	ReportOnly = "report"
	Off        = "off"
)

// orphans decides about every release that the instance owns and that is not declared. The first run that sees such a release
// marks it, and a later run prunes it. A guard can prevent both.
func (p planner) orphans(have []release.Observed, declared map[release.Key]bool) []Step {
	var steps []Step
	for i := range have {
		found := &have[i]
		if found.Instance != p.policy.Instance || declared[found.Key] || !installed(found) {
			continue
		}
		step := Step{Key: found.Key, Have: found, Owner: found.Owner, Mark: p.validMark(found)}
		step.Verb, step.Why, step.NewMark = p.orphan(step)
		steps = append(steps, step)
	}
	p.enforceMaxShare(steps)
	return steps
}

// validMark returns the mark that an earlier run set. A revision that is newer than the mark voids it, because the release was in use
// again. For example, a run may have upgraded the release and was stopped before it saved its state.
func (p planner) validMark(found *release.Observed) *release.Mark {
	mark := p.marks[found.Key]
	if mark == nil || !mark.Deployed.Equal(found.Updated) {
		return nil
	}
	return mark
}

// orphan chooses the verb for one orphan, and the mark to set. It does not check the share of all releases.
func (p planner) orphan(s Step) (Verb, string, *release.Mark) {
	for _, guard := range guards {
		why := guard.why(p, s)
		switch {
		case why == "" || guard.overrulable && p.pruneAllowed():
			continue
		case guard.reportOnly:
			return Orphan, "no longer declared; " + why, nil
		default:
			return Hold, "no longer declared; " + why, nil
		}
	}
	if s.Mark == nil {
		return Mark, fmt.Sprintf("no longer declared since commit %s; will be uninstalled by %s", shortCommit(p.policy.Commit), p.pruneTime()), p.mark(s)
	}
	if why := clockWentBack(p, s); why != "" {
		return Hold, "no longer declared; " + why, p.mark(s) // otherwise it would be held until the time of the old mark has come
	}
	if due := s.Mark.Since.Add(p.policy.Prune.Grace); p.now.Before(due) {
		return Orphan, fmt.Sprintf("%s; will be uninstalled after %s", markHistory(*s.Mark), timestamp(due)), nil
	}
	if p.mayBeInUse(*s.Have, release.Options{}) {
		return Hold, markHistory(*s.Mark) + "; " + p.inUseReason(*s.Have, release.Options{}), nil
	}
	return Prune, markHistory(*s.Mark), nil
}

func (p planner) mark(s Step) *release.Mark {
	return &release.Mark{
		Key:      s.Key,
		Since:    p.now.UTC(),
		Commit:   p.policy.Commit,
		Origin:   p.policy.Origin,
		Runs:     1,
		Deployed: s.Have.Updated.UTC(),
	}
}

// pruneTime says when a mark that is set now leads to pruning. A diff sets no mark, so pruning is one run further away.
func (p planner) pruneTime() string {
	run := "the next run"
	if p.policy.DiffOnly {
		run = "the run after next"
	}
	return fmt.Sprintf("%s, not before %s", run, timestamp(p.now.Add(p.policy.Prune.Grace)))
}

func markHistory(mark release.Mark) string {
	return fmt.Sprintf("no longer declared since commit %s, marked %s", shortCommit(mark.Commit), timestamp(mark.Since))
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func shortCommit(commit string) string { return commit[:min(len(commit), 7)] }

// enforceMaxShare holds all prunes if they are more than the allowed share of all releases: that is probably a mistake.
func (p planner) enforceMaxShare(steps []Step) {
	prunes := 0
	for _, step := range steps {
		if step.Verb == Prune {
			prunes++
		}
	}
	all := p.declared + len(steps)
	if 100*prunes <= all*p.policy.Prune.MaxShare || p.pruneAllowed() {
		return
	}
	for i := range steps {
		if steps[i].Verb == Prune {
			steps[i].Verb = Hold
			steps[i].Why += fmt.Sprintf("; pruning %d of %d releases at once exceeds the limit of %d %%: %s", prunes, all, p.policy.Prune.MaxShare, p.allowHint())
		}
	}
}
