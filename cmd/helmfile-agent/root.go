package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// execute runs the command line and returns the exit code.
func execute(args []string) exit.Code {
	code := exit.Converged
	root := &cobra.Command{
		Use:           "helmfile-agent",
		Short:         "GitOps with Helm without cluster-admin rights",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	parsed := false
	root.PersistentPreRun = func(*cobra.Command, []string) { parsed = true }
	root.SetArgs(args)
	root.SetOut(os.Stdout)
	root.SetFlagErrorFunc(usageError)
	root.AddCommand(runCommand(&code), diffCommand(&code), accessCommand(&code), destroyCommand(&code), versionCommand())
	if err := root.Execute(); err != nil {
		if !parsed && exit.Of(err) == exit.Unexpected { // an error of cobra, such as an unknown command
			err = usageError(root, err)
		}
		reportStartError(args, err)
		return exit.Of(err)
	}
	return code
}

// reportStartError reports why a command did not start: on standard error, in the termination message and, if asked for, as JSON.
func reportStartError(args []string, err error) {
	s := session{mask: &mask.Mask{}, log: slog.Default()}
	for _, credential := range config.Credentials(args, os.Environ()) {
		s.mask.AddNamed("password", string(credential))
	}
	fmt.Fprintln(os.Stderr, s.mask.String("helmfile-agent: "+err.Error()))
	command := commandIn(args)
	result := report.Report{Command: command, Started: time.Now(), Err: err}.Masked(s.mask.String)
	if config.Output(command, args, os.Environ()) == "json" {
		if err := result.WriteJSON(s.mask.Writer(os.Stdout)); err != nil {
			s.log.Error("report not written", "error", err)
		}
	}
	s.writeTerminationMessage(result.Termination(terminationLimit))
}

// commandIn returns the command in the arguments, or nothing if it is unknown.
func commandIn(args []string) string {
	if len(args) > 0 && slices.Contains([]string{config.Run, config.Diff, config.Access, config.Destroy}, args[0]) {
		return args[0]
	}
	return ""
}

func usageError(cmd *cobra.Command, err error) error {
	return exit.With(exit.ConfigInvalid, fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath()))
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError(cmd, errors.New("unexpected argument "+args[0]))
}
