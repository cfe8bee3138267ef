package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/helmfile-agent/helmfile-agent/agent"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

func runCommand(code *exit.Code) *cobra.Command {
	return command(config.Run, "Make the cluster as the repository declares it", code, func(s session) exit.Code {
		text := report.Report.WriteText
		if s.cfg.DryRun {
			text = report.Report.WriteDiff
		}
		result := s.do((*agent.Agent).Run, text)
		s.print(text, result)
		return result.Code()
	})
}

func diffCommand(code *exit.Code) *cobra.Command {
	return command(config.Diff, "Show what run would change, and change nothing", code, func(s session) exit.Code {
		result := s.do((*agent.Agent).Diff, report.Report.WriteDiff)
		s.print(report.Report.WriteDiff, result)
		if result.Code() == exit.Converged && s.cfg.DetailedExitcode && result.Differs() {
			return differences
		}
		return result.Code()
	})
}

// differences is the exit code of helmfile diff --detailed-exitcode when there are differences.
const differences exit.Code = 2

func accessCommand(code *exit.Code) *cobra.Command {
	return command(config.Access, "Show which rights the declared releases need, and the Roles that would grant the missing ones", code, func(s session) exit.Code {
		result := s.do((*agent.Agent).Access, report.Report.WriteAccess)
		s.print(s.accessRenderer(), result)
		return result.Code()
	})
}

// accessRenderer writes the report as text. With --roles it writes only the Roles to standard output, for kubectl, and the summary to
// standard error.
func (s session) accessRenderer() renderer {
	if !s.cfg.Roles {
		return report.Report.WriteAccess
	}
	return func(r report.Report, roles io.Writer, _ report.Style) error {
		fmt.Fprintln(s.stderr, r.Summary())
		return r.WriteRoles(roles)
	}
}

// command makes a command that loads its configuration and then calls do.
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
