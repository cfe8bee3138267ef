// Package agent connects the other packages in the order of one run, from configuration to report.
package agent

import (
	"context"
	"log/slog"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// Agent executes one command. It is used once.
type Agent struct {
	config   config.Config
	log      *slog.Logger
	mask     *mask.Mask
	progress progress
}

// New makes an agent for a validated configuration. The mask learns every secret that the command reads.
func New(cfg config.Config, log *slog.Logger, mask *mask.Mask) *Agent {
	return &Agent{config: cfg, log: log, mask: mask}
}

// Run makes the cluster as the repository declares it. It returns a report, never an error. A dry run is [Agent.Diff].
func (a *Agent) Run(ctx context.Context) report.Report {
	if a.config.DryRun {
		return a.Diff(ctx)
	}
	return a.do(ctx, config.Run,
		(*session).startLoader,
		(*session).connect,
		(*session).readLock,
		(*session).fetch,
		(*session).load,
		(*session).observe,
		(*session).render,
		(*session).findDrift,
		(*session).makePlan,
		(*session).checkRights,
		(*session).makeWriter,
		(*session).apply,
	)
}

// Diff reports what Run would do. It writes nothing to the cluster.
func (a *Agent) Diff(ctx context.Context) report.Report {
	return a.do(ctx, config.Diff,
		(*session).startLoader,
		(*session).connect,
		(*session).fetch,
		(*session).load,
		(*session).observe,
		(*session).render,
		(*session).findDrift,
		(*session).makePlan,
	)
}
