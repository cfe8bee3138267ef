package agent

import (
	"errors"
	"os"
	"sync"

	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// Progress is what a run has come to so far, for whoever must end the process without waiting for it.
type Progress struct {
	mu        sync.Mutex
	report    report.Report
	workspace string
}

// Abort removes the run's workspace and answers with its report as it was known last, ended by err. The run itself is
// abandoned: it may still be writing.
func (p *Progress) Abort(err error) report.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.workspace != "" {
		err = errors.Join(err, os.RemoveAll(p.workspace))
	}
	p.report.Err = err
	return p.report
}

func (p *Progress) in(workspace string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workspace = workspace
}

// note is called with a report that nothing changes any more.
func (p *Progress) note(known report.Report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report = known
}
