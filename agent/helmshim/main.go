package helmshim

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
)

// Main runs the program with this name and returns its exit code. If that is 1, it has written the reason to stderr.
func Main(name string, args []string, stdin io.Reader, stdout, stderr io.Writer) (exitCode int) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := child.ParentDeadline(ctx)
	defer cancel()
	startWatchdog(ctx, stderr)
	root, err := command(name)
	if err == nil {
		root.SetArgs(args)
		root.SetIn(stdin)
		root.SetOut(stdout)
		root.SetErr(stderr)
		err = root.ExecuteContext(ctx)
	}
	if err != nil {
		fmt.Fprintf(stderr, "Error: %v\n", err)
		return 1
	}
	return 0
}

// Known says whether the package implements a program with this name.
func Known(name string) bool { return name == "helm" || name == "kustomize" }

func command(name string) (*cobra.Command, error) {
	switch name {
	case "helm":
		return helm(), nil
	case "kustomize":
		return kustomize(), nil
	}
	return nil, fmt.Errorf("helmfile-agent does not run as %q, only as helm or kustomize", name)
}

// root is the root of a command tree. It refuses unknown commands.
func root(name string) *cobra.Command {
	c := group(name)
	c.SilenceErrors, c.SilenceUsage = true, true
	c.CompletionOptions.DisableDefaultCmd = true
	c.SetHelpCommand(&cobra.Command{Hidden: true, Use: "no-help"})
	return c
}

// group is a command that only has subcommands, and refuses all others by name.
func group(use string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, RunE: func(c *cobra.Command, args []string) error {
		return fmt.Errorf("%s: helmfile-agent does not support this command", strings.Join(append([]string{c.CommandPath()}, args...), " "))
	}}
	// Without this, cobra itself refuses unknown commands, with different messages for roots and for subcommands.
	c.Args = cobra.ArbitraryArgs
	c.AddCommand(commands...)
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		path := c.CommandPath()
		if c.HasSubCommands() { // then the arguments are the names of unknown commands
			path = strings.Join(append([]string{path}, c.Flags().Args()...), " ")
		}
		return fmt.Errorf("%s: helmfile-agent does not support this: %w", path, err)
	})
	return c
}
