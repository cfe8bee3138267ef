// Package agent connects the other packages in the order of one run, from configuration to report.
package agent

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// Run makes the cluster as the repository declares it, and says what happened. It returns a report, never an error. A dry run is [Diff].
func Run(ctx context.Context, cfg config.Config, log *slog.Logger, mask *mask.Mask, progress *Progress) report.Report {
	if cfg.DryRun {
		return Diff(ctx, cfg, log, mask, progress)
	}
	r := begin(config.Run, cfg, log, mask, progress)
	return r.within(ctx, func(ctx context.Context) error {
		w, err := r.look(ctx)
		if err != nil {
			return err
		}
		r.planned(w.plan)
		writer := cluster.NewWriter(w.reader)
		work := func(ctx context.Context) error {
			r.report.Outcomes = apply.Execute(ctx, w.plan, writer, cfg.Concurrency, log)
			return r.remember(ctx, writer, w)
		}
		if !w.writes() {
			return work(ctx)
		}
		if err := w.reader.Preflight(ctx, changes(w.plan)); err != nil {
			return err
		}
		return r.alone(ctx, writer, w.lock, work)
	})
}

// Diff says what Run would do, and writes nothing.
func Diff(ctx context.Context, cfg config.Config, log *slog.Logger, mask *mask.Mask, progress *Progress) report.Report {
	r := begin(config.Diff, cfg, log, mask, progress)
	return r.within(ctx, func(ctx context.Context) error {
		w, err := r.look(ctx)
		r.planned(w.plan)
		return err
	})
}

// observation is what a run has seen and decided before it writes. It has no way to a writer: only Run and Destroy make one.
type observation struct {
	reader *cluster.Reader
	lock   cluster.Lock
	was    cluster.State
	unread []string // namespaces that hold releases of this instance and could not be read
	plan   plan.Plan
}

// look is the whole way from the repository to the decisions. It writes nothing to the cluster.
func (r *run) look(ctx context.Context) (w observation, err error) {
	d, err := r.declared(ctx, r.foresee)
	if err != nil {
		return w, err
	}
	have, unread, err := d.reader.Observe(ctx, namespaces(d.Releases), d.was.Namespaces)
	if err != nil {
		return w, err
	}
	if err := r.learnFound(have); err != nil {
		return w, err
	}
	next, err := d.reader.Render(ctx, d.Releases, r.cfg.Concurrency)
	if err := cmp.Or(r.learnRendered(next), err); err != nil {
		return w, err
	}
	if err := r.findDrift(ctx, d.reader, d.Releases, have); err != nil {
		return w, err
	}
	return observation{
		reader: d.reader,
		lock:   d.lock,
		was:    d.was,
		unread: unread,
		plan:   plan.Build(d.Releases, have, next, d.was.InstanceState, r.policy(d.checkout, d.Set), r.report.Started),
	}, nil
}
