package main

import (
	"context"
	"errors"
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

// lastResort ends the process when a run goes on for too long after it should have stopped: a library that ignores its
// context must not make the Job hang.
func lastResort(ctx context.Context, s session) {
	code := exit.Deadline
	deadline := time.NewTimer(s.cfg.Timeout + grace)
	defer deadline.Stop()
	select {
	case <-deadline.C:
	case <-ctx.Done():
		if context.Cause(ctx) == nil || errors.Is(context.Cause(ctx), context.Canceled) {
			return // the run has ended
		}
		code = exit.Of(context.Cause(ctx))
		time.Sleep(grace)
	}
	message := fmt.Sprintf("%s (exit %d): the run did not stop within %s of being told to", code, code, grace)
	s.log.Error("given up", "error", message)
	s.terminate([]byte(message))
	os.Exit(int(code))
}
