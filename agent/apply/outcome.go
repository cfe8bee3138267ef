package apply

import (
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/plan"
)

// Result is how a step ended.
type Result string

// The results of a step.
const (
	Done    Result = "done"
	Failed  Result = "failed"
	Skipped Result = "skipped" // not begun, because a release that it needs failed, or because the run was stopped
)

// Outcome is the result of one step.
type Outcome struct {
	plan.Step
	Result   Result
	Revision int           // the newest revision after the step; 0 when there is none
	Err      error         // why the step failed or was skipped; nil when it is done
	Took     time.Duration // 0 for steps that do not write
}
