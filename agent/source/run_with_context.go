package source

import (
	"context"
	"fmt"
	"runtime/debug"
)

// runWithContext calls f, and returns when f or ctx ends. go-git ignores the context when it connects to SSH and git:// hosts and when it
// writes a work tree, so f may continue after ctx has ended. If go-git panics, as it may for a malformed repository, runWithContext returns
// an error.
func runWithContext[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	if err := ctx.Err(); err != nil {
		var zero T
		return zero, err
	}
	done := make(chan result, 1) // buffered, so that f can end after ctx has ended
	go func() {
		var r result
		defer func() {
			if cause := recover(); cause != nil {
				r.err = fmt.Errorf("go-git panicked: %v\n%s", cause, debug.Stack())
			}
			done <- r
		}()
		r.value, r.err = f()
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}
