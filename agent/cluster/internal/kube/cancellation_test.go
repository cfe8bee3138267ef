package kube

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRequestsEndWithTheRun: a watch that is under way ends, and no request follows.
func TestRequestsEndWithTheRun(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
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
	cause := errors.New("the test stops it")
	stop(cause)
	if _, err := io.ReadAll(watch.Body); err == nil {
		t.Error("the watch ends as if all was said")
	}
	second, err := client.Get(server.URL)
	if err == nil {
		defer second.Body.Close()
	}
	if !errors.Is(err, cause) || calls != 1 {
		t.Errorf("got %v, and %d requests", err, calls)
	}
}

func TestAPanicIsAnError(t *testing.T) {
	err := Interruptibly(t.Context(), func() error { panic("boom") })
	if err == nil || !strings.HasPrefix(err.Error(), "panic: boom\ngoroutine ") {
		t.Errorf("got %v", err)
	}
}
