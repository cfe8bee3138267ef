package exit

import (
	"context"
	"os"
	"time"
)

// deadlineVariable tells child processes when the run ends.
const deadlineVariable = "HELMFILE_AGENT_ENDS_AT"

// TellChildren makes the end of ctx known to child processes that others start, and so cannot be killed by ctx.
func TellChildren(ctx context.Context) error {
	at, ok := ctx.Deadline()
	if !ok {
		return os.Unsetenv(deadlineVariable)
	}
	return os.Setenv(deadlineVariable, at.Format(time.RFC3339Nano))
}

// AsTold is ctx as a child process has it: it ends when the parent's run does.
func AsTold(ctx context.Context) (context.Context, context.CancelFunc) {
	at, err := time.Parse(time.RFC3339Nano, os.Getenv(deadlineVariable))
	if err != nil { // nobody has said
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, at)
}
