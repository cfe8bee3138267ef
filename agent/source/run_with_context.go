package source

import (
	"context"
	"fmt"
	"runtime/debug"
)

// within runs do and returns when ctx ends, even if do does not: go-git dials SSH and git:// hosts and writes work trees
// without looking at a context. It turns a panic of go-git, which a strange repository can cause, into an error.
func within[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	if err := ctx.Err(); err != nil {
		var none T
		return none, err
	}
	done := make(chan result, 1) // buffered: an abandoned do must not wait for ever
	go func() {
		var r result
		defer func() {
			if cause := recover(); cause != nil {
				r.err = fmt.Errorf("go-git panicked: %v\n%s", cause, debug.Stack())
			}
			done <- r
		}()
		r.value, r.err = do()
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
