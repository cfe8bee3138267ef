package cluster

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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
		told := errors.New("told to stop")
		stop(told)
		time.Sleep(cleanupTimeout - time.Second)
		if longer.Err() != nil {
			t.Error("it ends at once")
		}
		time.Sleep(2 * time.Second)
		if context.Cause(longer) != told {
			t.Errorf("it ends with %v", context.Cause(longer))
		}
	})
}

// TestRequestsEndWithTheRun: a watch that is under way ends, and nothing is asked afterwards.
func TestRequestsEndWithTheRun(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, stop := context.WithCancelCause(t.Context())
	client := &http.Client{Transport: endRequestsWith(ctx)(http.DefaultTransport)}
	watch, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Body.Close()
	told := errors.New("told to stop")
	stop(told)
	if _, err := io.ReadAll(watch.Body); err == nil {
		t.Error("the watch ends as if all was said")
	}
	if _, err := client.Get(server.URL); !errors.Is(err, told) || asked != 1 {
		t.Errorf("got %v, and %d requests", err, asked)
	}
}

func TestAPanicIsAnError(t *testing.T) {
	err := Interruptibly(t.Context(), func() error { panic("boom") })
	if err == nil || !strings.HasPrefix(err.Error(), "panic: boom\ngoroutine ") {
		t.Errorf("got %v", err)
	}
}
