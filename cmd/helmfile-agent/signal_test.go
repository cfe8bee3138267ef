package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestARunThatGoesOnForTooLongIsGivenUp(t *testing.T) {
	const short = 10 * time.Millisecond
	stopped := exit.With(exit.Terminated, errors.New("stopped by signal: terminated"))
	for sentence, is := range map[string]struct {
		told    error // the context's end, at once
		ends    bool  // the run, at once
		timeout time.Duration
		want    exit.Code
	}{
		"a run that ends":                           {nil, true, time.Hour, exit.Converged},
		"a run that does not end within its time":   {nil, false, short, exit.Deadline},
		"a run that does not end though told to":    {stopped, false, time.Hour, exit.Terminated},
		"a run that ends because it was told to be": {stopped, true, time.Hour, exit.Converged},
	} {
		t.Run(sentence, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if is.told != nil {
				cancel(is.told)
			}
			ended := make(chan struct{})
			if is.ends {
				close(ended)
			}
			err := overdue(ctx, ended, is.timeout, short)
			if got := exit.Of(err); got != is.want || (err != nil && !strings.HasSuffix(err.Error(), "given up")) {
				t.Errorf("got %s: %v", got, err)
			}
		})
	}
}
