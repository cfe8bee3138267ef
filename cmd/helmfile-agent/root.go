package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
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
	root.SetArgs(args)
	root.SetOut(os.Stdout)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, err) })
	root.AddCommand(runCommand(&code), diffCommand(&code), destroyCommand(&code), versionCommand())
	if err := root.Execute(); err != nil {
		if exit.Of(err) == exit.Unexpected { // cobra's own, such as an unknown command, are the caller's mistakes
			err = usageError(root, err)
		}
		fmt.Fprintln(os.Stderr, "helmfile-agent:", err)
		return exit.Of(err)
	}
	return code
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
