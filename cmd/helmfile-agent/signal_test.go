package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestARunThatDoesNotStopIsEnded(t *testing.T) {
	const short = 10 * time.Millisecond
	stopped := exit.With(exit.Terminated, errors.New("stopped by signal: terminated"))
	for name, tt := range map[string]struct {
		cause   error // the context ends at once with it
		ends    bool  // the run ends at once
		timeout time.Duration
		want    exit.Code
	}{
		"a run ends":                             {nil, true, time.Hour, exit.Converged},
		"a run does not end before its deadline": {nil, false, short, exit.Deadline},
		"a run does not end after a signal":      {stopped, false, time.Hour, exit.Terminated},
		"a run ends after a signal":              {stopped, true, time.Hour, exit.Converged},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tt.cause != nil {
				cancel(tt.cause)
			}
			ended := make(chan struct{})
			if tt.ends {
				close(ended)
			}
			err := waitForEnd(ctx, ended, tt.timeout, short)
			if got := exit.Of(err); got != tt.want || (err != nil && !strings.HasSuffix(err.Error(), "the agent ended its process")) {
				t.Errorf("got %s: %v", got, err)
			}
		})
	}
}
