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

// execute runs the command line and returns the code to exit with.
func execute(args []string) exit.Code {
	code := exit.Converged
	root := &cobra.Command{
		Use:           "helmfile-agent",
		Short:         "GitOps with Helm for those who are not the cluster's admin",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	begun := false
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true } // cobra has understood the command line
	root.SetArgs(args)
	root.SetOut(os.Stdout)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, err) })
	root.AddCommand(runCommand(&code), diffCommand(&code), accessCommand(&code), destroyCommand(&code), versionCommand())
	if err := root.Execute(); err != nil {
		if !begun && exit.Of(err) == exit.Unexpected { // cobra's own, such as an unknown command, are the caller's mistakes
			err = usageError(root, err)
		}
		refuse(args, err)
		return exit.Of(err)
	}
	return code
}

// refuse tells why a command did not begin, in every way in which a run tells of its end.
func refuse(args []string, err error) {
	s := session{mask: &mask.Mask{}, log: slog.Default()}
	for _, credential := range config.Credentials(args, os.Environ()) {
		s.mask.AddNamed("password", string(credential))
	}
	fmt.Fprintln(os.Stderr, s.mask.String("helmfile-agent: "+err.Error()))
	command := commandOf(args)
	result := report.Report{Command: command, Started: time.Now(), Err: err}.Masked(s.mask.String)
	if config.Output(command, args, os.Environ()) == "json" {
		if err := result.WriteJSON(s.mask.Writer(os.Stdout)); err != nil {
			s.log.Error("report not written", "error", err)
		}
	}
	s.terminate(result.Termination(terminationLimit))
}

// commandOf is the command that was meant; empty if it is not known.
func commandOf(args []string) string {
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
