package agent

import (
	"context"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// readLock reads the Lease before the run reads anything else. If another run takes the lock later, the data of this run may be old.
// Commands that only read do not have this stage.
func (s *session) readLock(ctx context.Context) (err error) {
	s.lock, err = s.reader.Lock(ctx)
	return err
}

// writes says whether the run writes more than Events. If not, it needs no lock. It writes the state if the state changes even when
// no step is done.
func (s *session) writes() bool {
	return len(s.plan.Changes()) > 0 || s.previous.Differs(s.nextState(noStepDone))
}

func noStepDone(release.Key) bool { return false }

// withLock calls write while the run holds the lock. If the run loses the lock, it ends like a run that was stopped.
func (s *session) withLock(ctx context.Context, write func(context.Context) error) error {
	return s.writer.WithLock(ctx, s.lock, func(ctx context.Context) error {
		err := write(ctx)
		if ctx.Err() != nil {
			return stopped(ctx, err)
		}
		return err
	})
}
