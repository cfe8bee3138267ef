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
func Run(ctx context.Context, cfg config.Config, log *slog.Logger, mask *secrets.Mask, progress *Progress) report.Report {
	r := begin(config.Run, cfg, log, mask, progress)
	return r.within(ctx, func(ctx context.Context) error {
		w, err := r.look(ctx)
		if err != nil {
			return err
		}
		r.planned(w.plan)
		if err := w.reader.Preflight(ctx, changes(w.plan)); err != nil {
			return err
		}
		writer := cluster.NewWriter(w.reader)
		r.report.Outcomes = apply.Do(ctx, w.plan, writer, cfg.Concurrency, log)
		return r.remember(ctx, writer, w)
	})
}

// Diff says what Run would do, and writes nothing.
func Diff(ctx context.Context, cfg config.Config, log *slog.Logger, mask *secrets.Mask, progress *Progress) report.Report {
	r := begin(config.Diff, cfg, log, mask, progress)
	return r.within(ctx, func(ctx context.Context) error {
		w, err := r.look(ctx)
		r.planned(w.plan)
		return err
	})
}

// world is what a run has seen and decided before it writes. It has no way to a writer: only Run and Destroy make one.
type world struct {
	reader *cluster.Reader
	was    cluster.Remembered
	unread []string // namespaces that hold releases of this instance and could not be read
	plan   plan.Plan
}

// look is the whole way from the repository to the decisions. It writes nothing to the cluster. What does not depend on each other
// is done at once: the clone and the first words with the cluster, then the loading of the helmfile and the reading of the cluster.
func (r *run) look(ctx context.Context) (w world, err error) {
	charts, err := r.charts()
	if err != nil {
		return w, err
	}
	checkout, reader, err := r.reach(ctx, charts)
	if err != nil {
		return w, err
	}
	w.reader = reader
	set, was, err := r.read(ctx, checkout, reader, charts)
	if err != nil {
		return w, err
	}
	w.was = was
	have, unread, err := reader.Observe(ctx, namespaces(set.Releases), was.Namespaces)
	if err != nil {
		return w, err
	}
	next, err := reader.Render(ctx, set.Releases, r.cfg.Concurrency)
	if err != nil {
		return w, err
	}
	if err := r.findDrift(ctx, reader, set.Releases, have); err != nil {
		return w, err
	}
	w.unread = unread
	w.plan = plan.Make(set.Releases, have, next, was.Memory, r.policy(checkout, set), r.report.Started)
	return w, nil
}
