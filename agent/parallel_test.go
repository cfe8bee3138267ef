package agent

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

var errFirst, errSecond = errors.New("first"), errors.New("second")

func TestInParallel(t *testing.T) {
	answer := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	stopped := func(ctx context.Context) error { <-ctx.Done(); return errSecond }
	for name, tt := range map[string]struct {
		first, second func(context.Context) error
		want          error
	}{
		"neither fails":                        {answer(nil), answer(nil), nil},
		"the second fails":                     {answer(nil), answer(errSecond), errSecond},
		"both fail: the first counts":          {answer(errFirst), answer(errSecond), errFirst},
		"the first fails: the second must end": {answer(errFirst), stopped, errFirst},
	} {
		t.Run(name, func(t *testing.T) {
			if got := inParallel(t.Context(), tt.first, tt.second); !errors.Is(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestInParallelPassesOnAPanic(t *testing.T) {
	defer func() {
		if cause := recover(); cause != "oh" {
			t.Errorf("recovered %v", cause)
		}
	}()
	_ = inParallel(t.Context(), func(context.Context) error { return nil }, func(context.Context) error { panic("oh") })
	t.Error("no panic")
}

// The second function may use the workspace, which the caller removes when a panic reaches it.
func TestInParallelWaitsForTheSecondWhenTheFirstPanics(t *testing.T) {
	var secondEnded atomic.Bool
	defer func() {
		if cause := recover(); cause != "oh" {
			t.Errorf("recovered %v", cause)
		}
		if !secondEnded.Load() {
			t.Error("the second function still runs after inParallel has returned")
		}
	}()
	started := make(chan struct{})
	_ = inParallel(t.Context(),
		func(context.Context) error { <-started; panic("oh") },
		func(ctx context.Context) error {
			close(started)
			<-ctx.Done()
			time.Sleep(50 * time.Millisecond)
			secondEnded.Store(true)
			return nil
		})
	t.Error("no panic")
}
