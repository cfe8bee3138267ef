package agent

import (
	"context"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// stoppedTimeout limits the writes of a run that was stopped.
const stoppedTimeout = 5 * time.Second

// loadState reads the state that the previous run saved.
func (s *session) loadState(ctx context.Context) (err error) {
	s.previous, err = s.reader.LoadState(ctx)
	return err
}

// loadStateIfAllowed is [session.loadState] for a command that needs no rights. Without the right to read it, the state is empty.
func (s *session) loadStateIfAllowed(ctx context.Context) error {
	err := s.loadState(ctx)
	if exit.Of(err) == exit.Forbidden {
		return nil
	}
	return err
}

// warnAboutLostState warns that the state could not be decoded. This is safe: the agent prunes nothing because of an empty state.
func (s *session) warnAboutLostState() {
	if s.previous.Lost != nil {
		s.warn("the state of instance %s could not be decoded and starts empty: %v", s.config.Instance, s.previous.Lost)
	}
}

// finish saves the state and announces what the run did, also if the run was stopped.
func (s *session) finish(ctx context.Context) error {
	next := s.nextState(doneIn(s.report.Outcomes))
	s.writer.NoteRecords(&next)
	if ctx.Err() != nil {
		return s.finishStopped(ctx, next)
	}
	_, err := s.writer.SaveState(ctx, s.previous, next)
	s.announce(ctx)
	return err
}

// finishStopped saves the state of a run that was stopped. Such a run keeps the previous marks, because it does not count as a run
// that found an orphan. It saves where it installed releases. If it lost the lock, it saves nothing: the state belongs to the next
// holder.
func (s *session) finishStopped(ctx context.Context, next release.InstanceState) (err error) {
	lostLock := exit.Of(context.Cause(ctx)) == exit.Locked
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stoppedTimeout)
	defer cancel()
	if !lostLock {
		next.Marks = s.previous.Marks
		_, err = s.writer.SaveState(ctx, s.previous, next)
	}
	s.announce(ctx)
	return err
}

// nextState returns the state to save if exactly the steps for which done is true are done.
func (s *session) nextState(done func(release.Key) bool) release.InstanceState {
	return s.plan.NextState(s.previous.InstanceState, s.unreadable, done)
}

func doneIn(outcomes []apply.Outcome) func(release.Key) bool {
	done := map[release.Key]bool{}
	for _, o := range outcomes {
		done[o.Key] = o.Result == apply.Done
	}
	return func(key release.Key) bool { return done[key] }
}

// announce writes an Event for each change that the run made.
func (s *session) announce(ctx context.Context) {
	s.writer.Announce(ctx, s.report.Masked(s.mask.String).Events())
}
