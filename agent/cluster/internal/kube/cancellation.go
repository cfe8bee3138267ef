package kube

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"k8s.io/client-go/transport"
)

// endRequestsWith makes every request end with ctx, and refuses those that come later. Helm knows no context where it talks to
// the cluster: what it leaves running when an operation is interrupted must not go on changing objects.
func endRequestsWith(ctx context.Context) transport.WrapperFunc {
	return func(next http.RoundTripper) http.RoundTripper { return ending{ctx, next} }
}

type ending struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (e ending) RoundTrip(request *http.Request) (*http.Response, error) {
	if e.ctx.Err() != nil {
		return nil, context.Cause(e.ctx) //nolint:contextcheck // the request ends with either of two contexts
	}
	ctx, cancel := context.WithCancelCause(request.Context())
	stop := context.AfterFunc(e.ctx, func() { cancel(context.Cause(e.ctx)) }) //nolint:contextcheck // as above
	release := func() { stop(); cancel(nil) }
	response, err := e.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		release()
		return nil, err
	}
	response.Body = body{response.Body, release} // a watch lasts as long as its body
	return response, nil
}

type body struct {
	io.ReadCloser
	release func()
}

func (b body) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

// Interruptibly does something that knows no context. When ctx ends first, do goes on in the background. A panic of a library
// is an error: in a goroutine of its own it would end the process, and show to whom it likes what it was about.
func Interruptibly(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- recovering(do) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func recovering(do func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return do()
}

// CleanupTimeout is how long a run that must stop may take to record what was interrupted, and as long again to roll it back. Both fit
// into the 20 seconds after which the process exits (cmd/helmfile-agent).
const CleanupTimeout = 5 * time.Second
