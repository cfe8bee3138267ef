package helmshim

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"
)

func TestAToolDoesNotOutliveItsRun(t *testing.T) {
	for sentence, is := range map[string]struct {
		time      time.Duration
		leaves    bool // the parent, at once
		wantsQuit bool
	}{
		"its time is over":      {100 * time.Millisecond, false, true},
		"its parent is gone":    {time.Hour, true, true},
		"nothing is the matter": {time.Hour, false, false},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), is.time)
			defer cancel()
			var asked atomic.Int32
			parent := func() int {
				if asked.Add(1) > 1 && is.leaves {
					return 1
				}
				return 7
			}
			code := make(chan int, 1)
			go doNotOutlive(ctx, parent, io.Discard, func(c int) { code <- c })
			select {
			case <-code:
				if !is.wantsQuit {
					t.Error("it was ended")
				}
			case <-time.After(unwind + 2*time.Second):
				if is.wantsQuit {
					t.Error("it lives on")
				}
			}
		})
	}
}
