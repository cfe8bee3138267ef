package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/desired"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/render"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
	"github.com/helmfile-agent/helmfile-agent/agent/source"
)

// session is one command in progress. Each field below the report is set by one stage, in this order, and read by later stages.
type session struct {
	*Agent
	report report.Report

	workspace  string // a private directory, removed at the end
	charts     *chart.Store
	loader     *desired.Loader
	renderer   *render.Pool
	reader     *cluster.Reader
	lock       cluster.Lock
	checkout   source.Checkout
	desired    desired.Set
	previous   cluster.State // as the previous run saved it
	observed   []release.Observed
	unreadable []string // namespaces of the previous state that the agent may not read
	rendered   []release.Rendered
	plan       plan.Plan
	writer     *cluster.Writer // nil in commands that only read
}

// stage is one part of a command. An error ends the command.
type stage func(*session, context.Context) error

// do executes the stages in order, with a deadline and a workspace. The report is complete however the command ends.
func (a *Agent) do(ctx context.Context, command string, stages ...stage) report.Report {
	s := a.newSession(command)
	deadline := exit.With(exit.Deadline, fmt.Errorf("the run did not end within %s", a.config.Timeout))
	ctx, cancel := context.WithTimeoutCause(ctx, a.config.Timeout, deadline)
	defer cancel()
	return s.complete(ctx, s.execute(ctx, stages))
}

func (a *Agent) newSession(command string) *session {
	s := &session{Agent: a, report: report.Report{
		Command:     command,
		Instance:    a.config.Instance,
		Namespace:   a.config.Namespace,
		Environment: a.config.Environment,
		Started:     time.Now(),
	}}
	s.progress.setReport(s.report)
	return s
}

func (s *session) execute(ctx context.Context, stages []stage) (err error) {
	defer s.recoverPanic(&err)
	defer s.cleanUp(&err)
	if err := s.makeWorkspace(); err != nil {
		return err
	}
	for _, stage := range stages {
		if err := stage(s, ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) makeWorkspace() (err error) {
	if s.workspace, err = os.MkdirTemp("", "helmfile-agent-"); err != nil {
		return fmt.Errorf("make workspace: %w", err)
	}
	s.progress.setWorkspace(s.workspace)
	return nil
}

// cleanUp ends the child processes and removes the workspace.
func (s *session) cleanUp(err *error) {
	if s.loader != nil {
		s.loader.Close()
	}
	s.renderer.Close()
	if s.workspace != "" {
		*err = errors.Join(*err, os.RemoveAll(s.workspace))
	}
}

// recoverPanic turns a panic of a stage into an error, so that the run is still reported.
func (s *session) recoverPanic(err *error) {
	if cause := recover(); cause != nil {
		s.log.Error("panic", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
		*err = errors.Join(fmt.Errorf("panic: %v", cause), *err)
	}
}

// warn adds a warning to the report.
func (s *session) warn(format string, args ...any) {
	s.report.Warnings = append(s.report.Warnings, fmt.Sprintf(format, args...))
}

// complete adds to the report how the command ended.
func (s *session) complete(ctx context.Context, err error) report.Report {
	if ctx.Err() != nil {
		err = stopped(ctx, err)
	}
	s.report.Err = err
	var missing *cluster.MissingRightsError
	if errors.As(err, &missing) {
		s.report.Grant = missing.Grant()
	}
	s.report.Took = time.Since(s.report.Started)
	return s.report
}

// stopped returns the error of a run whose context ended. The exit code is that of the cause, such as a signal or the deadline. The
// text also has the last error, which says what the run was doing.
func stopped(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case err == nil:
		return cause
	case errors.Is(err, cause):
		return exit.With(exit.Of(cause), err)
	default:
		return exit.With(exit.Of(cause), fmt.Errorf("%w; the last error was: %w", cause, err))
	}
}
