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
	"github.com/helmfile-agent/helmfile-agent/agent/report"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

func runCommand(code *exit.Code) *cobra.Command {
	return command(config.Run, "Make the cluster as the repository declares it", code, func(s session) exit.Code {
		result := s.do(agent.Run)
		s.print(result.WriteText, result)
		return result.Code()
	})
}

func diffCommand(code *exit.Code) *cobra.Command {
	return command(config.Diff, "Show what run would change, and change nothing", code, func(s session) exit.Code {
		result := s.do(agent.Diff)
		s.print(result.WriteDiff, result)
		if result.Code() == exit.Converged && s.cfg.DetailedExitcode && result.Differs() {
			return differences
		}
		return result.Code()
	})
}

// differences is what helmfile diff --detailed-exitcode answers when there are some.
const differences exit.Code = 2

func command(name, short string, code *exit.Code, do func(session) exit.Code) *cobra.Command {
	cmd := &cobra.Command{Use: name, Short: short, Args: noArguments}
	config.Flags(cmd.Flags(), name)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(name, cmd.Flags(), os.Environ())
		if err != nil {
			return err
		}
		*code = do(newSession(cfg))
		return nil
	}
	return cmd
}

// session is a configured process: every text leaves it through the mask.
type session struct {
	cfg            config.Config
	mask           *secrets.Mask
	stdout, stderr io.Writer
	log            *slog.Logger
}

func newSession(cfg config.Config) session {
	s := session{cfg: cfg, mask: &secrets.Mask{}}
	s.stdout, s.stderr = s.mask.Writer(os.Stdout), s.mask.Writer(os.Stderr)
	opts := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "text" {
		s.log = slog.New(slog.NewTextHandler(s.stderr, opts))
	} else {
		s.log = slog.New(slog.NewJSONHandler(s.stderr, opts))
	}
	return s
}

type action func(context.Context, config.Config, *slog.Logger, *secrets.Mask) report.Report

// do runs the action until it ends, or until it was told to stop and does not.
func (s session) do(act action) report.Report {
	ctx, stop := untilSignal()
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go lastResort(ctx, s)
	return act(ctx, s.cfg, s.log, s.mask).Masked(s.mask.String)
}

// print writes the report for whoever reads it: standard output, the container's termination message and the log.
func (s session) print(text func(io.Writer, report.Style) error, result report.Report) {
	write := func() error { return text(s.stdout, report.StyleFor(os.Stdout, os.Environ())) }
	if s.cfg.Output == "json" {
		write = func() error { return result.WriteJSON(s.stdout) }
	}
	if err := write(); err != nil {
		s.log.Error("report not written", "error", err)
	}
	s.terminate(result.Termination(terminationLimit))
	s.log.Info("finished", "result", result.Code().String(), "exitCode", int(result.Code()), "summary", result.Summary())
}

const (
	// terminationLog is where Kubernetes reads a container's last words, if it is in a container.
	terminationLog   = "/dev/termination-log"
	terminationLimit = 4096 // bytes that Kubernetes keeps
)

func (s session) terminate(message []byte) {
	file, err := os.OpenFile(terminationLog, os.O_WRONLY|os.O_TRUNC, 0)
	if os.IsNotExist(err) {
		return // not in a container
	}
	if err == nil {
		_, err = fmt.Fprint(s.mask.Writer(file), string(message))
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
