package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// grace is how long a run that was told to stop may take to mark its releases and write its report. It is below the 30
// seconds that Kubernetes waits by default before it kills.
const grace = 20 * time.Second

// untilSignal is a context that ends with the first SIGTERM or interrupt.
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		if received, ok := <-signals; ok {
			cancel(exit.With(exit.Terminated, fmt.Errorf("stopped by signal: %s", received)))
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// overdue waits until a run has ended, which is nil, or goes on for too long after it should have stopped: a library that
// ignores its context must not make the Job hang. The error says why it should have.
func overdue(ctx context.Context, ended <-chan struct{}, timeout, grace time.Duration) error {
	deadline := time.NewTimer(timeout + grace)
	defer deadline.Stop()
	why := exit.With(exit.Deadline, fmt.Errorf("the run did not end within %s", timeout))
	select {
	case <-ended:
		return nil
	case <-deadline.C:
	case <-ctx.Done():
		why = context.Cause(ctx)
		select {
		case <-ended:
			return nil
		case <-time.After(grace):
		}
	}
	return fmt.Errorf("%w, and did not stop within %s of being told to: given up", why, grace)
}

// surviveClosedPipes makes a write to a standard output that nobody reads any more an error like any other: `| head` must
// not end a run in the middle of an upgrade.
func surviveClosedPipes() { signal.Ignore(syscall.SIGPIPE) }
