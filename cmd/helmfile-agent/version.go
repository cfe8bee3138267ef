package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// The linker sets these; see the Makefile.
var (
	version = "dev"
	commit  = "unknown"
	date    = "unknown"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "helmfile-agent %s (commit %s, %s, %s %s/%s)\n",
				version, commit, date, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
