package action

import (
	"context"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/options"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// withCleanupTime is a context that ends a little later than ctx, or at once if that ends because the lock is lost: what is left
// undone is another run's from then on.
func withCleanupTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if lockLost(ctx) {
		return context.WithCancel(ctx)
	}
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if lockLost(ctx) {
			cancel(context.Cause(ctx))
			return
		}
		time.AfterFunc(kube.CleanupTimeout, func() { cancel(context.Cause(ctx)) })
	})
	return longer, func() { stop(); cancel(nil) }
}

func lockLost(ctx context.Context) bool {
	return ctx.Err() != nil && exit.Of(context.Cause(ctx)) == exit.Locked
}

// timeout is what one Kubernetes operation is given: its own, or what is left of the run but for a margin in which its
// failure is recorded, other steps are reported, and the run ends in order.
func timeout(ctx context.Context, own time.Duration) time.Duration {
	own = options.Timeout(own)
	deadline, ok := ctx.Deadline()
	if !ok {
		return own
	}
	left := time.Until(deadline)
	return max(time.Second, min(own, left-min(longestMargin, left/10)))
}

const longestMargin = 10 * time.Second
