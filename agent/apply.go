package agent

import (
	"context"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
)

// apply executes the plan and saves the state. It takes the lock only if there is something to write.
func (s *session) apply(ctx context.Context) error {
	if !s.writes() {
		return s.executePlan(ctx)
	}
	return s.withLock(ctx, s.executePlan)
}

func (s *session) executePlan(ctx context.Context) error {
	s.report.Outcomes = apply.Execute(ctx, s.plan, s.writer, s.config.Concurrency, s.log)
	return s.finish(ctx)
}
