package chart

import (
	"context"
	"sync"
)

// memo remembers the outcome of making a value, failures included, and lets one caller at a time make it.
type memo[T any] struct {
	mu    sync.Mutex
	cells map[string]*cell[T]
}

type cell[T any] struct {
	turn  chan struct{} // holds one token; whoever has it may look and make
	made  bool
	value T
	err   error
}

// get returns what made returned the first time. A failure that is only the caller's context ending is not remembered:
// another caller may have more time.
func (m *memo[T]) get(ctx context.Context, key string, makeValue func() (T, error)) (T, error) {
	c := m.cell(key)
	select {
	case <-c.turn:
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
	defer func() { c.turn <- struct{}{} }()
	if c.made {
		return c.value, c.err
	}
	value, err := makeValue()
	if err == nil || ctx.Err() == nil {
		c.made, c.value, c.err = true, value, err
	}
	return value, err
}

func (m *memo[T]) cell(key string) *cell[T] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells == nil {
		m.cells = map[string]*cell[T]{}
	}
	c, ok := m.cells[key]
	if !ok {
		c = &cell[T]{turn: make(chan struct{}, 1)}
		c.turn <- struct{}{}
		m.cells[key] = c
	}
	return c
}
