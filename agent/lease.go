package agent

import (
	"context"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// findLock comes as early as it can: what another run does afterwards is noticed, be it to the cluster or because its checkout
// is newer. Whoever only shows what there is needs no lock.
func (r *run) findLock(ctx context.Context, reader *cluster.Reader) (cluster.Lock, error) {
	if r.report.Command == report.Diff || r.report.Command == report.Access {
		return cluster.Lock{}, nil
	}
	return reader.Lock(ctx)
}

// writes says whether a run has anything to write, but for Events. One that has not takes no lock, and may go on beside another.
// What is remembered without a change does not depend on what becomes of the steps.
func (w observation) writes() bool {
	return len(w.plan.Changes()) > 0 || w.was.Differs(w.plan.NextState(w.was.InstanceState, w.unread, func(release.Key) bool { return false }))
}

// alone does what writes while no other run of the instance does. When the lock is lost it ends like a run that was stopped.
func (r *run) alone(ctx context.Context, writer *cluster.Writer, found cluster.Lock, do func(context.Context) error) error {
	return writer.WithLock(ctx, found, func(ctx context.Context) error {
		err := do(ctx)
		if ctx.Err() != nil {
			return stopped(ctx, err)
		}
		return err
	})
}
