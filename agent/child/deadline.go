package child

import (
	"context"
	"os"
	"time"
)

// deadlineVariable is the environment variable that tells child processes when the run ends.
const deadlineVariable = "HELMFILE_AGENT_ENDS_AT"

// ExportDeadline writes the end of the run into the environment, so that the children of this process get it.
func ExportDeadline(deadline time.Time) error {
	return os.Setenv(deadlineVariable, deadline.Format(time.RFC3339Nano))
}

// ParentDeadline adds to ctx the deadline that the parent process exported. It adds none if the parent exported none.
func ParentDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, err := time.Parse(time.RFC3339Nano, os.Getenv(deadlineVariable))
	if err != nil {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline)
}
