package helmshim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// parentCheckInterval is how often the process checks whether its parent still exists.
const parentCheckInterval = 500 * time.Millisecond

// exitDelay is the time that the process has after its deadline to end by itself.
const exitDelay = 2 * time.Second

// watch ends the process after its deadline, or when its parent is gone. Libraries may ignore their context, and the process that
// started this one may be unable to end it. quit is os.Exit.
func watch(ctx context.Context, parent func() int, stderr io.Writer, quit func(int)) {
	first := parent()
	ticker := time.NewTicker(parentCheckInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			if !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				return // the command has ended
			}
			time.Sleep(exitDelay)
			fmt.Fprintln(stderr, "Error: the run has reached its timeout")
			quit(1)
			return
		case <-ticker.C:
			if parent() != first {
				quit(1)
				return
			}
		}
	}
}

// startWatchdog starts watch for this process.
func startWatchdog(ctx context.Context, stderr io.Writer) {
	go watch(ctx, os.Getppid, stderr, os.Exit)
}
