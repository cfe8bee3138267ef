package helmshim

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"helm.sh/helm/v3/pkg/cli"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// helm is the command tree of `helm`.
func helm() *cobra.Command {
	settings := cli.New()
	c := root("helm")
	settings.AddFlags(c.PersistentFlags())
	c.AddCommand(
		versionCommand(),
		pullCommand(settings),
		group("dependency", dependencyBuildCommand(), dependencyUpdateCommand()),
		group("repo", repoListCommand(settings)),
		templateCommand(settings),
		group("secrets", decryptCommand()),
	)
	for _, sub := range c.Commands() {
		if sub.Name() == "dependency" {
			sub.Aliases = []string{"dep", "dependencies"}
		}
	}
	return c
}

// openStore opens the directory that all helm processes of the run share, and adds the repositories of the helmfile.
func openStore(settings *cli.EnvSettings) (*chart.Store, []release.Repository, error) {
	repositories, err := chart.ReadRepositories(settings.RepositoryConfig)
	if err != nil {
		return nil, nil, err
	}
	s, err := chart.JoinStore(settings.RepositoryCache, sandbox.RootsFromEnvironment(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, err
	}
	s.AddRepositories(repositories...)
	return s, repositories, nil
}

// buildInfo has the fields that `helm version --template` offers.
type buildInfo struct {
	Version, GitCommit, GitTreeState, GoVersion string
}

// noCommit replaces the commit of Helm, which is unknown in a library. chartify requires one.
const noCommit = "0000000"

func versionCommand() *cobra.Command {
	c := &cobra.Command{Use: "version", Args: cobra.NoArgs}
	short := c.Flags().Bool("short", false, "")
	format := c.Flags().String("template", "", "")
	c.RunE = func(c *cobra.Command, _ []string) error {
		info := buildInfo{chart.HelmVersion(), noCommit, "clean", runtime.Version()}
		switch {
		case *format != "":
			parsed, err := template.New("version").Parse(*format)
			if err != nil {
				return err
			}
			return parsed.Execute(c.OutOrStdout(), info)
		case *short:
			fmt.Fprintf(c.OutOrStdout(), "%s+g%s\n", info.Version, info.GitCommit)
		default:
			fmt.Fprintf(c.OutOrStdout(), "version.BuildInfo{Version:%q, GitCommit:%q, GitTreeState:%q, GoVersion:%q}\n",
				info.Version, info.GitCommit, info.GitTreeState, info.GoVersion)
		}
		return nil
	}
	return c
}

func repoListCommand(settings *cli.EnvSettings) *cobra.Command {
	return &cobra.Command{Use: "list", Aliases: []string{"ls"}, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		repositories, err := chart.ReadRepositories(settings.RepositoryConfig)
		if err != nil {
			return err
		}
		if len(repositories) == 0 {
			return fmt.Errorf("no repositories to show")
		}
		fmt.Fprintf(c.OutOrStdout(), "%-20s\t%s\n", "NAME", "URL")
		for _, r := range repositories {
			url := r.URL
			if r.OCI && !strings.Contains(url, "://") {
				url = "oci://" + url
			}
			fmt.Fprintf(c.OutOrStdout(), "%-20s\t%s\n", r.Name, url)
		}
		return nil
	}}
}
