package agent

import (
	"errors"
	"os"
	"sync"

	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// progress is what is known about a command before it ends. The zero value is ready to use, from several goroutines.
type progress struct {
	mu        sync.Mutex
	report    report.Report
	workspace string
}

// Abort ends a command that does not stop by itself. It removes the workspace and returns the newest known report, with err as its
// end. The command may still be writing: the caller must end the process.
func (a *Agent) Abort(err error) report.Report {
	p := &a.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.workspace != "" {
		err = errors.Join(err, os.RemoveAll(p.workspace))
	}
	aborted := p.report
	aborted.Err = err
	return aborted
}

func (p *progress) setWorkspace(dir string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workspace = dir
}

// setReport keeps a copy. The session does not change the elements of the slices in a report that it has passed.
func (p *progress) setReport(r report.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report = r
}
