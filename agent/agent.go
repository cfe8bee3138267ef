// Package agent joins the rooms in reading order: one run, from configuration to report.
package agent

import (
	"context"
	"log/slog"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// Run makes the cluster as the repository declares it, and says what happened. It returns a report, never an error.
func Run(ctx context.Context, cfg config.Config, log *slog.Logger, mask *secrets.Mask) report.Report {
	r := begin("run", cfg, log, mask)
	return r.within(ctx, func(ctx context.Context) error {
		c, p, err := r.plan(ctx)
		if err != nil {
			return err
		}
		r.report.Outcomes = apply.Look(p)
		if err := c.Reader().Preflight(ctx, changes(p)); err != nil {
			return err
		}
		r.report.Outcomes = apply.Do(ctx, p, c.Writer(), cfg.Concurrency, log)
		return nil
	})
}

// Diff says what Run would do, and writes nothing.
func Diff(ctx context.Context, cfg config.Config, log *slog.Logger, mask *secrets.Mask) report.Report {
	r := begin(report.Diff, cfg, log, mask)
	return r.within(ctx, func(ctx context.Context) error {
		_, p, err := r.plan(ctx)
		r.report.Outcomes = apply.Look(p)
		return err
	})
}

// plan is the whole way from the repository to the decisions. It writes nothing to the cluster.
func (r *run) plan(ctx context.Context) (*cluster.Cluster, plan.Plan, error) {
	checkout, err := r.checkout(ctx)
	if err != nil {
		return nil, plan.Plan{}, err
	}
	charts, err := r.charts()
	if err != nil {
		return nil, plan.Plan{}, err
	}
	c, err := r.connect(ctx, charts)
	if err != nil {
		return nil, plan.Plan{}, err
	}
	want, err := r.load(ctx, checkout, c, charts)
	if err != nil {
		return nil, plan.Plan{}, err
	}
	reader := c.Reader()
	have, err := reader.Observe(ctx, namespaces(want, c.Namespace))
	if err != nil {
		return nil, plan.Plan{}, err
	}
	next, err := reader.Render(ctx, want, r.cfg.Concurrency)
	if err != nil {
		return nil, plan.Plan{}, err
	}
	return c, plan.Make(want, have, next, r.policy(), r.report.Started), nil
}
