package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/helmfile-agent/helmfile-agent/agent"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

func runCommand(code *exit.Code) *cobra.Command {
	return command(config.Run, "Make the cluster as the repository declares it", code, func(s session) exit.Code {
		text := report.Report.WriteText
		if s.cfg.DryRun {
			text = report.Report.WriteDiff
		}
		result := s.do(agent.Run, text)
		s.print(text, result)
		return result.Code()
	})
}

func diffCommand(code *exit.Code) *cobra.Command {
	return command(config.Diff, "Show what run would change, and change nothing", code, func(s session) exit.Code {
		result := s.do(agent.Diff, report.Report.WriteDiff)
		s.print(report.Report.WriteDiff, result)
		if result.Code() == exit.Converged && s.cfg.DetailedExitcode && result.Differs() {
			return differences
		}
		return result.Code()
	})
}

// differences is what helmfile diff --detailed-exitcode answers when there are some.
const differences exit.Code = 2

func accessCommand(code *exit.Code) *cobra.Command {
	return command(config.Access, "Show which rights the declared releases need, and what would grant those that are missing", code, func(s session) exit.Code {
		result := s.do(agent.Access, report.Report.WriteAccess)
		s.print(s.accessRenderer(), result)
		return result.Code()
	})
}

// accessRenderer leaves standard output to kubectl, if that is who reads it, and tells a person on standard error.
func (s session) accessRenderer() renderer {
	if !s.cfg.Roles {
		return report.Report.WriteAccess
	}
	return func(r report.Report, roles io.Writer, _ report.Style) error {
		fmt.Fprintln(s.stderr, r.Summary())
		return r.WriteRoles(roles)
	}
}

func command(name, short string, code *exit.Code, do func(session) exit.Code) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short, Args: noArguments}
	config.Flags(cmd.Flags(), name)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(name, cmd.Flags(), os.Environ())
		if err != nil {
			return err
		}
		s, err := newSession(cfg)
		if err != nil {
			return err
		}
		defer s.release()
		*code = do(s)
		return nil
	}
	return cmd
}

// session is a configured process: every text leaves it through the mask.
type session struct {
	cfg  config.Config
	mask *mask.Mask
	output
	log *slog.Logger
}

func newSession(cfg config.Config) (session, error) {
	s := session{cfg: cfg, mask: &mask.Mask{}}
	learnCredentials(s.mask, cfg)
	var err error
	if s.output, err = takeOutput(s.mask); err != nil {
		return session{}, err
	}
	s.log = newLog(s.stderr, cfg, s.mask.String)
	captureLogs(s.log)
	if s.crashErr != nil {
		s.log.Warn("a crash would not be shown", "error", s.crashErr)
	}
	return s, nil
}

// learnCredentials makes known what the process was started with.
func learnCredentials(mask *mask.Mask, cfg config.Config) {
	mask.AddEnvironment(os.Environ())
	mask.AddRegistryLogins()
	mask.AddNamed("password", string(cfg.GitPassword))
	if cfg.GitPassword == "" {
		mask.AddNamed("username", string(cfg.GitUsername)) // then it is the token
	}
	if cfg.GitSSHKeyFile == "" {
		return
	}
	if key, err := os.ReadFile(cfg.GitSSHKeyFile); err == nil { // what cannot be read cannot be shown
		mask.Add(string(key))
	}
}

type action func(context.Context, config.Config, *slog.Logger, *mask.Mask, *agent.Progress) report.Report

// renderer is how a report is written for a person.
type renderer func(report.Report, io.Writer, report.Style) error

// do runs the action until it ends, or until it was told to stop and does not: then the process ends here.
func (s session) do(act action, text renderer) report.Report {
	ctx, stop := untilSignal()
	defer stop()
	var progress agent.Progress
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		if err := overdue(ctx, ended, s.cfg.Timeout, grace); err != nil {
			result := progress.Abort(err).Masked(s.mask.String)
			s.print(text, result)
			s.release()
			os.Exit(int(result.Code()))
		}
	}()
	return act(ctx, s.cfg, s.log, s.mask, &progress).Masked(s.mask.String)
}

// print writes the report for whoever reads it: standard output, the container's termination message and the log.
func (s session) print(text renderer, result report.Report) {
	write := func() error { return text(result, s.stdout, s.style) }
	if s.cfg.Output == "json" {
		write = func() error { return result.WriteJSON(s.stdout) }
	}
	if err := write(); err != nil {
		s.log.Error("report not written", "error", err)
	}
	_ = s.stdout.Flush() // the next write would have failed too
	s.terminate(result.Termination(terminationLimit))
	s.log.Info("finished", "result", result.Code().String(), "exitCode", int(result.Code()), "summary", result.Summary())
}

// terminationLog is where Kubernetes reads a container's last words, if it is in a container. Tests have one of their own.
var terminationLog = "/dev/termination-log"

const terminationLimit = 4096 // bytes that Kubernetes keeps

func (s session) terminate(message []byte) {
	file, err := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC, 0)
	if os.IsNotExist(err) {
		return // not in a container
	}
	if err == nil {
		_, err = file.WriteString(s.mask.String(string(message)))
		err = firstError(err, file.Close())
	}
	if err != nil {
		s.log.Warn("termination message not written", "error", err)
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
