package apply

import (
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
)

// Result is how a step ended.
type Result string

const (
	Done    Result = "done"
	Failed  Result = "failed"
	Skipped Result = "skipped" // not begun, because something that it needs failed or the run was stopped
)

// Outcome is what became of one step.
type Outcome struct {
	plan.Step
	Result   Result
	Revision int           // the newest revision now; 0 when there is none
	Err      error         // why it failed or was skipped; nil when done
	Took     time.Duration // 0 for steps that write nothing
}
