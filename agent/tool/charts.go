package tool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"helm.sh/helm/v3/pkg/cli"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
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
		s, repositories, err := store(settings)
		if err != nil {
			return err
		}
		wanted, err := from.named(args[0], repositories)
		if err != nil {
			return err
		}
		_, err = s.Pull(c.Context(), wanted, into)
		return err
	}
	return c
}

func build(settings *cli.EnvSettings) *cobra.Command {
	c := dependencyCommand("build")
	c.RunE = func(c *cobra.Command, args []string) error {
		s, _, err := store(settings)
		if err != nil {
			return err
		}
		return s.BuildDependencies(c.Context(), args[0], nil)
	}
	return c
}

func update(settings *cli.EnvSettings) *cobra.Command {
	c := dependencyCommand("update")
	c.Aliases = []string{"up"}
	c.RunE = func(c *cobra.Command, args []string) error {
		s, _, err := store(settings)
		if err != nil {
			return err
		}
		return s.UpdateDependencies(c.Context(), args[0], nil)
	}
	return c
}

// dependencyCommand knows --skip-refresh, which asks for what is always so: an index is downloaded once per run.
func dependencyCommand(name string) *cobra.Command {
	c := &cobra.Command{Use: name, Args: cobra.ExactArgs(1)}
	c.Flags().Bool("skip-refresh", false, "")
	return c
}
