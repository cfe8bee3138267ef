package once

import (
	"context"
	"sync"
)

// Results computes a result for each key once, and returns it to every later caller, errors included.
type Results[T any] struct {
	mu      sync.Mutex
	results map[string]*result[T]
}

type result[T any] struct {
	turn  chan struct{} // has one token; the caller that takes it may read and write the other fields
	done  bool
	value T
	err   error
}

// Get returns what compute returned for the first caller with this key. Other callers wait for it. An error is forgotten if the context
// of the caller had ended, because another caller may have more time.
func (o *Results[T]) Get(ctx context.Context, key string, compute func() (T, error)) (T, error) {
	r := o.result(key)
	select {
	case <-r.turn:
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
	defer func() { r.turn <- struct{}{} }()
	if r.done {
		return r.value, r.err
	}
	value, err := compute()
	if err == nil || ctx.Err() == nil {
		r.done, r.value, r.err = true, value, err
	}
	return value, err
}

func (o *Results[T]) result(key string) *result[T] {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.results == nil {
		o.results = map[string]*result[T]{}
	}
	r, ok := o.results[key]
	if !ok {
		r = &result[T]{turn: make(chan struct{}, 1)}
		r.turn <- struct{}{}
		o.results[key] = r
	}
	return r
}
