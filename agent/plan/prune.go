package plan

import (
	"fmt"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Pruning says what becomes of orphans: releases that this instance owns and that nobody declares any more.
type Pruning struct {
	Mode     string        // TwoStep, ReportOnly or Off
	Grace    time.Duration // how long a mark must stand; 0 prunes with the next run
	MaxShare int           // percent of all releases that one run may prune
	Allow    string        // the commit, or its beginning, whose prunes a person lets through
}

// The modes of pruning.
const (
	TwoStep    = "two-step"
	ReportOnly = "report"
	Off        = "off"
)

// orphans decides about every release that is owned and undeclared: the first run that sees one marks it, a later one
// prunes it, and what is in doubt stays.
func (m maker) orphans(have []release.Observed, declared map[release.Key]bool) []Step {
	var steps []Step
	for i := range have {
		found := &have[i]
		if found.Instance != m.policy.Instance || declared[found.Key] || !installed(found) {
			continue
		}
		step := Step{Key: found.Key, Have: found, Owner: found.Owner, Mark: m.standing(found)}
		step.Verb, step.Why, step.NewMark = m.orphan(step)
		steps = append(steps, step)
	}
	m.limit(steps)
	return steps
}

// standing is the mark that an earlier run left. One about an older revision is none: whoever made the newer one, be it a run
// that declared the release and was stopped before it could remember that, wanted it.
func (m maker) standing(found *release.Observed) *release.Mark {
	mark := m.marks[found.Key]
	if mark == nil || !mark.Deployed.Equal(found.Updated) {
		return nil
	}
	return mark
}

// orphan is the rule for one of them, the share of all apart, and the mark to set.
func (m maker) orphan(s Step) (Verb, string, *release.Mark) {
	for _, guard := range guards {
		why := guard.why(m, s)
		switch {
		case why == "" || guard.overrulable && m.allowed():
			continue
		case guard.chosen:
			return Orphan, "no longer declared; " + why, nil
		default:
			return Hold, "no longer declared; " + why, nil
		}
	}
	if s.Mark == nil {
		return Mark, fmt.Sprintf("no longer declared since commit %s; will be uninstalled by %s", short(m.policy.Commit), m.nextStep()), m.mark(s)
	}
	if why := clockWentBack(m, s); why != "" {
		return Hold, "no longer declared; " + why, m.mark(s) // or it would be held until the clock is where it never should have been
	}
	if due := s.Mark.Since.Add(m.policy.Prune.Grace); m.now.Before(due) {
		return Orphan, fmt.Sprintf("%s; will be uninstalled after %s", history(*s.Mark), stamp(due)), nil
	}
	return Prune, history(*s.Mark), nil
}

func (m maker) mark(s Step) *release.Mark {
	return &release.Mark{
		Key:      s.Key,
		Since:    m.now.UTC(),
		Commit:   m.policy.Commit,
		Origin:   m.policy.Origin,
		Runs:     1,
		Deployed: s.Have.Updated.UTC(),
	}
}

// nextStep is when a mark that is set now leads to pruning. Who only looks is a run further away from it.
func (m maker) nextStep() string {
	run := "the next run"
	if m.policy.Looking {
		run = "the run after next"
	}
	return fmt.Sprintf("%s, not before %s", run, stamp(m.now.Add(m.policy.Prune.Grace)))
}

func history(mark release.Mark) string {
	return fmt.Sprintf("no longer declared since commit %s, marked %s", short(mark.Commit), stamp(mark.Since))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func short(commit string) string { return commit[:min(len(commit), 7)] }

// limit refuses to prune more than a share of all releases at once: that looks like an accident.
func (m maker) limit(steps []Step) {
	prunes := 0
	for _, step := range steps {
		if step.Verb == Prune {
			prunes++
		}
	}
	all := m.declared + len(steps)
	if 100*prunes <= all*m.policy.Prune.MaxShare || m.allowed() {
		return
	}
	for i := range steps {
		if steps[i].Verb == Prune {
			steps[i].Verb = Hold
			steps[i].Why += fmt.Sprintf("; %d of %d releases at once is more than %d %%: %s", prunes, all, m.policy.Prune.MaxShare, m.advice())
		}
	}
}
