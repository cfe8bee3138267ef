package helmshim

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// orphaned is how often a tool looks whether its parent is still there.
const orphaned = 500 * time.Millisecond

// unwind is how long a tool whose time is over may take to end by itself.
const unwind = 2 * time.Second

// doNotOutlive ends the process when its time is over or its parent is gone: whoever starts it cannot do so in time, and
// libraries that ignore their context must not keep it alive. quit is os.Exit.
func doNotOutlive(ctx context.Context, parent func() int, stderr io.Writer, quit func(int)) {
	first := parent()
	ticker := time.NewTicker(orphaned)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			if context.Cause(ctx) != context.DeadlineExceeded {
				return // the tool has ended
			}
			time.Sleep(unwind)
			fmt.Fprintln(stderr, "Error: the run that this belongs to is over")
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

// untilParentEnds starts doNotOutlive for this process.
func untilParentEnds(ctx context.Context, stderr io.Writer) {
	go doNotOutlive(ctx, os.Getppid, stderr, os.Exit)
}
