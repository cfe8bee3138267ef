package child

import (
	"context"
	"os"
	"time"
)

// DeadlineVariable names the environment variable that tells child processes when the run ends.
const DeadlineVariable = "HELMFILE_AGENT_ENDS_AT"

// AsTold is ctx as a child process has it: it ends when the parent's run does.
func AsTold(ctx context.Context) (context.Context, context.CancelFunc) {
	at, err := time.Parse(time.RFC3339Nano, os.Getenv(DeadlineVariable))
	if err != nil { // nobody has said
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, at)
}
