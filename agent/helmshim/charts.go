package helmshim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"helm.sh/helm/v3/pkg/cli"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// chartFlags are the flags that say where to get a chart.
type chartFlags struct {
	chart      release.Chart
	repository release.Repository
}

func (f *chartFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.chart.Version, "version", "", "")
	flags.BoolVar(&f.chart.Devel, "devel", false, "")
	flags.BoolVar(&f.chart.Verify, "verify", false, "")
	flags.StringVar(&f.chart.Keyring, "keyring", "", "")
	flags.BoolVar(&f.chart.PlainHTTP, "plain-http", false, "")
	flags.BoolVar(&f.chart.InsecureSkipTLSVerify, "insecure-skip-tls-verify", false, "")
	flags.StringVar(&f.repository.URL, "repo", "", "")
	flags.StringVar(&f.repository.Username, "username", "", "")
	flags.StringVar(&f.repository.Password, "password", "", "")
	flags.StringVar(&f.repository.CAFile, "ca-file", "", "")
	flags.StringVar(&f.repository.CertFile, "cert-file", "", "")
	flags.StringVar(&f.repository.KeyFile, "key-file", "", "")
	flags.BoolVar(&f.repository.PassCredentials, "pass-credentials", false, "")
}

// resolve interprets a chart argument in the same order as Helm: as a path, as a URL, as a name in --repo, as repository/name.
func (f *chartFlags) resolve(arg string, repositories []release.Repository) (release.Chart, error) {
	c := f.chart
	c.Name = arg
	if _, err := os.Stat(arg); err == nil {
		c.Path, err = filepath.Abs(arg)
		return c, err
	}
	c.Ref = arg
	if f.repository != (release.Repository{}) {
		repository := f.repository
		c.Repository = &repository
	}
	if strings.Contains(arg, "://") {
		return c, nil
	}
	if filepath.IsAbs(arg) || strings.HasPrefix(arg, ".") {
		return c, fmt.Errorf("path %q not found", arg)
	}
	if f.repository.URL != "" {
		return c, nil
	}
	return resolveInRepository(c, arg, repositories)
}

func resolveInRepository(c release.Chart, arg string, repositories []release.Repository) (release.Chart, error) {
	name, rest, slash := strings.Cut(arg, "/")
	if !slash {
		return c, fmt.Errorf("chart %q is not a path, a URL or repository/name", arg)
	}
	for _, r := range repositories {
		if r.Name == name {
			c.Ref, c.Repository = rest, &r
			return c, nil
		}
	}
	return c, fmt.Errorf("chart %q: the helmfile has no repository with the name %q", arg, name)
}

func pullCommand(settings *cli.EnvSettings) *cobra.Command {
	var source chartFlags
	c := &cobra.Command{Use: "pull", Aliases: []string{"fetch"}, Args: cobra.ExactArgs(1)}
	source.add(c.Flags())
	untar := c.Flags().Bool("untar", false, "")
	untarDir := c.Flags().String("untardir", ".", "")
	destination := c.Flags().StringP("destination", "d", ".", "")
	c.RunE = func(c *cobra.Command, args []string) error {
		if !*untar {
			return errors.New("helm pull without --untar: helmfile-agent does not support this")
		}
		dir := *untarDir
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(*destination, dir)
		}
		repositories, err := chart.ReadRepositories(settings.RepositoryConfig)
		if err != nil {
			return err
		}
		resolved, err := source.resolve(args[0], repositories)
		if err != nil {
			return err
		}
		return pullInto(c.Context(), resolved, dir)
	}
	return c
}

// pullInto copies a chart into a directory. The agent downloads it, because only the agent has credentials.
func pullInto(ctx context.Context, resolved release.Chart, into string) error {
	if err := sandbox.RootsFromEnvironment().Check(into); err != nil {
		return err
	}
	agent, err := broker.FromEnvironment()
	if err != nil {
		return err
	}
	dir, err := agent.Pull(ctx, resolved)
	if err != nil {
		return err
	}
	target := filepath.Join(into, filepath.Base(dir))
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	return os.CopyFS(target, os.DirFS(dir))
}

func dependencyBuildCommand() *cobra.Command {
	c := dependencyCommand("build")
	c.RunE = func(c *cobra.Command, args []string) error { return buildDependencies(c.Context(), args[0], false) }
	return c
}

func dependencyUpdateCommand() *cobra.Command {
	c := dependencyCommand("update")
	c.Aliases = []string{"up"}
	c.RunE = func(c *cobra.Command, args []string) error { return buildDependencies(c.Context(), args[0], true) }
	return c
}

// buildDependencies lets the agent build the dependencies in a copy of the chart, and copies the result into the chart.
func buildDependencies(ctx context.Context, dir string, update bool) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	agent, err := broker.FromEnvironment()
	if err != nil {
		return err
	}
	built, err := agent.BuildDependencies(ctx, broker.Dependencies{Dir: dir, Update: update})
	if err != nil {
		return err
	}
	for _, name := range []string{"charts", "Chart.lock", "requirements.lock"} {
		if err := replace(filepath.Join(dir, name), filepath.Join(built, name)); err != nil {
			return fmt.Errorf("copy dependencies into %s: %w", dir, err)
		}
	}
	return nil
}

// replace replaces a file or directory by a copy of another one. It does nothing if the other one does not exist.
func replace(target, from string) error {
	info, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(target, os.DirFS(from))
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(target, content, 0o600)
}

// dependencyCommand accepts --skip-refresh and ignores it, because the agent downloads an index only once per run.
func dependencyCommand(name string) *cobra.Command {
	c := &cobra.Command{Use: name, Args: cobra.ExactArgs(1)}
	c.Flags().Bool("skip-refresh", false, "")
	return c
}
