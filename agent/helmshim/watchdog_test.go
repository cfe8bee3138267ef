package helmshim

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"
)

func TestWatchdogEndsTheProcess(t *testing.T) {
	for name, test := range map[string]struct {
		timeout    time.Duration
		parentGone bool
		wantExit   bool
	}{
		"the deadline has passed": {100 * time.Millisecond, false, true},
		"the parent is gone":      {time.Hour, true, true},
		"neither":                 {time.Hour, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
			defer cancel()
			var calls atomic.Int32
			parent := func() int {
				if calls.Add(1) > 1 && test.parentGone {
					return 1
				}
				return 7
			}
			code := make(chan int, 1)
			go watch(ctx, parent, io.Discard, func(c int) { code <- c })
			select {
			case <-code:
				if !test.wantExit {
					t.Error("the process was ended")
				}
			case <-time.After(exitDelay + 2*time.Second):
				if test.wantExit {
					t.Error("the process was not ended")
				}
			}
		})
	}
}
