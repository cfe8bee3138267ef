package agent

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestARunThatIsStoppedSaysWhatItWasDoing(t *testing.T) {
	cause := exit.With(exit.Terminated, errors.New("told to stop"))
	for want, err := range map[string]error{
		"told to stop": nil,
		"discover the APIs of example.com: told to stop":           exit.With(exit.ClusterUnreached, fmt.Errorf("discover the APIs of example.com: %w", cause)),
		"told to stop; it was about to: clone: connection refused": errors.New("clone: connection refused"),
	} {
		ctx, stop := context.WithCancelCause(t.Context())
		stop(cause)
		got := stopped(ctx, err)
		if got.Error() != want || exit.Of(got) != exit.Terminated {
			t.Errorf("got %q with %s, want %q", got, exit.Of(got), want)
		}
	}
}
