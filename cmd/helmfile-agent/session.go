package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/helmfile-agent/helmfile-agent/agent"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// session is a process with a configuration. All its output passes through the mask.
type session struct {
	cfg  config.Config
	mask *mask.Mask
	output
	log *slog.Logger
}

func newSession(cfg config.Config) (session, error) {
	s := session{cfg: cfg, mask: &mask.Mask{}}
	maskCredentials(s.mask, cfg)
	var err error
	if s.output, err = captureOutput(s.mask); err != nil {
		return session{}, err
	}
	s.log = newLog(s.stderr, cfg, s.mask.String)
	captureLogs(s.log)
	if s.monitorErr != nil {
		s.log.Warn("no crash monitor: a crash of this run will not be shown", "error", s.monitorErr)
	}
	return s, nil
}

// maskCredentials masks the credentials in the configuration and in the environment.
func maskCredentials(mask *mask.Mask, cfg config.Config) {
	mask.AddEnvironment(os.Environ())
	mask.AddRegistryLogins()
	mask.AddNamed("password", string(cfg.GitPassword))
	if cfg.GitPassword == "" {
		mask.AddNamed("username", string(cfg.GitUsername)) // without a password, the username is a token
	}
	if cfg.GitSSHKeyFile == "" {
		return
	}
	if key, err := os.ReadFile(cfg.GitSSHKeyFile); err == nil { // a key that cannot be read cannot be shown
		mask.Add(string(key))
	}
}

// action is one of the agent's commands.
type action func(*agent.Agent, context.Context) report.Report

// renderer writes a report for people.
type renderer func(report.Report, io.Writer, report.Style) error

// do executes the action. If the action does not stop in time after a signal or its deadline, do reports that and ends the process.
func (s session) do(act action, text renderer) report.Report {
	ctx, stop := signalContext()
	defer stop()
	a := agent.New(s.cfg, s.log, s.mask)
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		if err := waitForEnd(ctx, ended, s.cfg.Timeout, gracePeriod); err != nil {
			s.abort(a, text, err)
		}
	}()
	return act(a, ctx).Masked(s.mask.String)
}

// abort ends the process with the newest report that is known.
func (s session) abort(a *agent.Agent, text renderer, err error) {
	result := a.Abort(err).Masked(s.mask.String)
	s.print(text, result)
	s.release()
	os.Exit(int(result.Code()))
}

// print writes the report to standard output, to the container's termination message and to the log.
func (s session) print(text renderer, result report.Report) {
	write := func() error { return text(result, s.stdout, s.style) }
	if s.cfg.Output == "json" {
		write = func() error { return result.WriteJSON(s.stdout) }
	}
	if err := write(); err != nil {
		s.log.Error("report not written", "error", err)
	}
	_ = s.stdout.Flush() // a write error was logged above
	s.writeTerminationMessage(result.Termination(terminationLimit))
	s.log.Info("finished", "result", result.Code().String(), "exitCode", int(result.Code()), "summary", result.Summary())
}
