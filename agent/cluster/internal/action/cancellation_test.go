package action

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
)

func TestWhatHelmIsGiven(t *testing.T) {
	for what, test := range map[string]struct{ left, own, want time.Duration }{
		"its own timeout, if the run has the time":  {10 * time.Minute, 3 * time.Minute, 3 * time.Minute},
		"Helm's default, if it has none":            {10 * time.Minute, 0, 5 * time.Minute},
		"what is left, but for ten seconds":         {4 * time.Minute, 0, 3*time.Minute + 50*time.Second},
		"what is left, but for a tenth":             {20 * time.Second, time.Minute, 18 * time.Second},
		"a second, if nothing is left":              {-time.Second, time.Minute, time.Second},
		"its own timeout, if the run has no limits": {0, time.Minute, time.Minute},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.left != 0 {
					limited, cancel := context.WithTimeout(ctx, test.left)
					defer cancel()
					ctx = limited
				}
				if got := timeout(ctx, test.own); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
			})
		})
	}
}

func TestTheAftermathEndsLittleAfterTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		longer, end := withCleanupTime(ctx)
		defer end()
		time.Sleep(time.Hour)
		cause := errors.New("the test stops it")
		stop(cause)
		time.Sleep(kube.CleanupTimeout - time.Second)
		if longer.Err() != nil {
			t.Error("it ends at once")
		}
		time.Sleep(2 * time.Second)
		if !errors.Is(context.Cause(longer), cause) {
			t.Errorf("it ends with %v", context.Cause(longer))
		}
	})
}
