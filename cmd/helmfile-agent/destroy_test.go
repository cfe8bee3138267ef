package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// A user who presses Ctrl-C at the prompt does not have to type an answer.
func TestReadLineEndsWithItsContext(t *testing.T) {
	from, typed := io.Pipe() // nothing is ever typed
	defer func() { _ = typed.Close() }()
	stopped := errors.New("stopped by signal: interrupt")
	ctx, stop := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := readLine(ctx, from)
		ended <- err
	}()
	stop(stopped)
	select {
	case err := <-ended:
		if !errors.Is(err, stopped) {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("readLine still waits for an answer")
	}
}

func TestReadLineReadsOneLine(t *testing.T) {
	if got, err := readLine(t.Context(), strings.NewReader("shop\nmore\n")); got != "shop\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := readLine(t.Context(), strings.NewReader("")); got != "" || !errors.Is(err, io.EOF) {
		t.Errorf("got %q, %v", got, err)
	}
}
