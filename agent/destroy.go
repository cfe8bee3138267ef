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

// Destroy uninstalls everything that the instance owns and forgets it, once confirm has been shown what and agrees. It
// needs no repository.
func Destroy(ctx context.Context, cfg config.Config, log *slog.Logger, mask *secrets.Mask, progress *Progress, confirm func(report.Report) error) report.Report {
	r := begin(config.Destroy, cfg, log, mask, progress)
	return r.within(ctx, func(ctx context.Context) error {
		reader, p, err := r.owned(ctx)
		if err != nil {
			return err
		}
		r.planned(p)
		if cfg.DryRun {
			return nil
		}
		if err := confirm(r.report.Masked(mask.String)); err != nil {
			return err
		}
		if err := reader.Preflight(ctx, changes(p)); err != nil {
			return err
		}
		writer := cluster.NewWriter(reader)
		r.report.Outcomes = apply.Do(ctx, p, writer, cfg.Concurrency, log)
		if !allDone(r.report.Outcomes) {
			return nil // what is left is remembered, so that it can be found again
		}
		return writer.Forget(ctx)
	})
}

// owned plans to remove what the instance owns, wherever it is known to own something.
func (r *run) owned(ctx context.Context) (*cluster.Reader, plan.Plan, error) {
	reader, err := r.connect(ctx, nil) // nothing is rendered, so no chart is needed
	if err != nil {
		return nil, plan.Plan{}, err
	}
	r.report.Namespace = reader.Namespace()
	was, err := reader.Remember(ctx)
	if err != nil {
		return nil, plan.Plan{}, err
	}
	r.warnOfLost(was)
	// Every namespace must be readable: what cannot be seen would be left behind and forgotten.
	have, _, err := reader.Observe(ctx, was.Namespaces, nil)
	return reader, plan.Destroy(have, was.Memory, r.cfg.Instance), err
}

func allDone(outcomes []apply.Outcome) bool {
	for _, o := range outcomes {
		if o.Result != apply.Done {
			return false
		}
	}
	return true
}
