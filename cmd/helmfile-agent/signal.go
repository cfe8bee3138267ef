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

// gracePeriod is how long a stopped run may take to mark its unfinished revisions as failed and to write its report. It is shorter than
// the 30 seconds that Kubernetes waits by default before it kills the container.
const gracePeriod = 20 * time.Second

// signalContext returns a context that ends with the first SIGTERM or interrupt.
func signalContext() (context.Context, func()) {
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

// waitForEnd returns nil when the run has ended. It returns an error when the run does not end within the grace period after its
// deadline or a signal, because a library that ignores its context must not make the Job hang.
func waitForEnd(ctx context.Context, ended <-chan struct{}, timeout, grace time.Duration) error {
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
	return fmt.Errorf("%w, and did not stop within %s after that: the agent ended its process", why, grace)
}

// ignoreClosedPipes makes a write to a closed standard output an ordinary error. Without it, "| head" would end a run in the middle of
// an upgrade.
func ignoreClosedPipes() { signal.Ignore(syscall.SIGPIPE) }
