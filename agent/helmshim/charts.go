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

// chartFlags say where a chart comes from.
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

// named resolves a chart argument in Helm's order: a path, a URL, a name within --repo, repository/name.
func (f *chartFlags) named(arg string, repositories []release.Repository) (release.Chart, error) {
	c := f.chart
	c.Name = arg
	if _, err := os.Stat(arg); err == nil {
		c.Path, err = filepath.Abs(arg)
		return c, err
	}
	c.Ref = arg
	if f.repository != (release.Repository{}) {
		own := f.repository
		c.Repository = &own
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
	return inRepository(c, arg, repositories)
}

func inRepository(c release.Chart, arg string, repositories []release.Repository) (release.Chart, error) {
	name, rest, slash := strings.Cut(arg, "/")
	if !slash {
		return c, fmt.Errorf("chart %q is neither a path nor a URL nor repository/name", arg)
	}
	for _, r := range repositories {
		if r.Name == name {
			c.Ref, c.Repository = rest, &r
			return c, nil
		}
	}
	return c, fmt.Errorf("chart %q: no repository is called %q", arg, name)
}

func pull(settings *cli.EnvSettings) *cobra.Command {
	var from chartFlags
	c := &cobra.Command{Use: "pull", Aliases: []string{"fetch"}, Args: cobra.ExactArgs(1)}
	from.add(c.Flags())
	untar := c.Flags().Bool("untar", false, "")
	untarDir := c.Flags().String("untardir", ".", "")
	destination := c.Flags().StringP("destination", "d", ".", "")
	c.RunE = func(c *cobra.Command, args []string) error {
		if !*untar {
			return errors.New("helm pull without --untar: helmfile-agent does not provide this")
		}
		into := *untarDir
		if !filepath.IsAbs(into) {
			into = filepath.Join(*destination, into)
		}
		repositories, err := chart.ReadRepositories(settings.RepositoryConfig)
		if err != nil {
			return err
		}
		wanted, err := from.named(args[0], repositories)
		if err != nil {
			return err
		}
		return pullInto(c.Context(), wanted, into)
	}
	return c
}

// pullInto has the agent download a chart, which has the credentials, and copies it.
func pullInto(ctx context.Context, wanted release.Chart, into string) error {
	if err := sandbox.RootsFromEnvironment().Check(into); err != nil {
		return err
	}
	agent, err := broker.FromEnvironment()
	if err != nil {
		return err
	}
	dir, err := agent.Pull(ctx, wanted)
	if err != nil {
		return err
	}
	target := filepath.Join(into, filepath.Base(dir))
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	return os.CopyFS(target, os.DirFS(dir))
}

func build() *cobra.Command {
	c := dependencyCommand("build")
	c.RunE = func(c *cobra.Command, args []string) error { return buildDependencies(c.Context(), args[0], false) }
	return c
}

func update() *cobra.Command {
	c := dependencyCommand("update")
	c.Aliases = []string{"up"}
	c.RunE = func(c *cobra.Command, args []string) error { return buildDependencies(c.Context(), args[0], true) }
	return c
}

// buildDependencies has the agent build them in a copy of its own, and copies what the build has made back into the chart.
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

// replace puts a copy in the place of a file or directory, if there is something to copy.
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

// dependencyCommand knows --skip-refresh, which asks for what is always so: an index is downloaded once per run.
func dependencyCommand(name string) *cobra.Command {
	c := &cobra.Command{Use: name, Args: cobra.ExactArgs(1)}
	c.Flags().Bool("skip-refresh", false, "")
	return c
}
