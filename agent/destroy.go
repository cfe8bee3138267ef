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

// Destroy uninstalls everything that the instance owns and forgets it, once confirm has been shown what and agrees. It
// needs no repository. confirm must return when its context ends.
func Destroy(ctx context.Context, cfg config.Config, log *slog.Logger, mask *mask.Mask, progress *Progress, confirm func(context.Context, report.Report) error) report.Report {
	r := begin(config.Destroy, cfg, log, mask, progress)
	return r.within(ctx, func(ctx context.Context) error {
		w, err := r.owned(ctx)
		if err != nil {
			return err
		}
		r.planned(w.plan)
		if cfg.DryRun {
			return nil
		}
		if err := confirm(ctx, r.report.Masked(mask.String)); err != nil {
			return err
		}
		if len(w.plan.Changes()) == 0 && !w.was.Exists() && !w.lock.Exists() {
			return nil
		}
		if err := w.reader.PreflightDestroy(ctx, changes(w.plan)); err != nil {
			return err
		}
		writer := cluster.NewWriter(w.reader)
		return r.alone(ctx, writer, w.lock, func(ctx context.Context) error {
			r.report.Outcomes = apply.Execute(ctx, w.plan, writer, cfg.Concurrency, log)
			if !allDone(r.report.Outcomes) {
				return nil // what is left is remembered, so that it can be found again
			}
			return writer.DeleteState(ctx)
		})
	})
}

// owned plans to remove what the instance owns, wherever it is known to own something.
func (r *run) owned(ctx context.Context) (w observation, err error) {
	if w.reader, w.lock, err = r.connect(ctx, nil); err != nil { // nothing is rendered, so no chart is needed
		return w, err
	}
	if err := w.reader.Discover(ctx); err != nil {
		return w, err
	}
	if w.was, err = w.reader.LoadState(ctx); err != nil {
		return w, err
	}
	r.warnOfLost(w.was)
	// Every namespace must be readable: what cannot be seen would be left behind and forgotten.
	have, _, err := w.reader.Observe(ctx, w.was.Namespaces, nil)
	err = cmp.Or(err, r.learnFound(have))
	w.plan = plan.Destroy(have, w.was.InstanceState, plan.Policy{Instance: r.cfg.Instance, AbandonedAfter: r.cfg.Timeout + clockSkew}, r.report.Started)
	return w, err
}

func allDone(outcomes []apply.Outcome) bool {
	for _, o := range outcomes {
		if o.Result != apply.Done || o.Verb == plan.Hold {
			return false
		}
	}
	return true
}
