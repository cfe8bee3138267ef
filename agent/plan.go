package agent

import (
	"context"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
	"github.com/helmfile-agent/helmfile-agent/agent/source"
)

// makePlan decides what to do with each release.
func (s *session) makePlan(context.Context) error {
	s.setPlan(plan.Build(s.desired.Releases, s.observed, s.rendered, s.previous.InstanceState, s.policy(), s.report.Started))
	return nil
}

// setPlan puts the plan into the report, so that a run that is aborted can still say what it was about to do.
func (s *session) setPlan(p plan.Plan) {
	s.plan = p
	s.report.Outcomes = apply.Preview(p)
	s.progress.setReport(s.report)
}

func (s *session) policy() plan.Policy {
	return plan.Policy{
		Instance:       s.config.Instance,
		Origin:         s.origin(),
		Commit:         s.checkout.Commit,
		AbandonedAfter: s.abandonedAfter(),
		Lease:          s.lock.Lease(),
		DiffOnly:       s.report.Command == report.Diff,
		SelectorInUse:  len(s.config.Selector) > 0,
		SkippedFiles:   s.desired.SkippedFiles,
		Prune: plan.Pruning{
			Mode:     s.config.Prune,
			Grace:    s.config.PruneGrace,
			MaxShare: s.config.PruneMaxShare,
			Allow:    s.config.PruneAllow,
		},
		Drift:           release.DriftMode(s.config.Drift),
		AdoptServerSide: s.config.AdoptServerSide,
	}
}

// origin is empty for a local directory: the URL of its remote may be written differently from the URL that the agent clones.
func (s *session) origin() string {
	if s.config.Dir != "" {
		return ""
	}
	return source.Origin(s.checkout.Repo, s.config.Path, s.config.Environment)
}

// clockSkew covers the time that a run needs to stop, and the difference between the clocks of two nodes.
const clockSkew = time.Minute

// abandonedAfter is the age after which no run of this instance can still be working on a pending revision.
func (s *session) abandonedAfter() time.Duration { return s.config.Timeout + clockSkew }
