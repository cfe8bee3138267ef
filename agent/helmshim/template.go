package helmshim

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/getter"
	helmrelease "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// templateFlags are what `helm template` is told by chartify, and by users through helmfile's templateArgs.
type templateFlags struct {
	from        chartFlags
	values      values.Options
	outputDir   string
	showOnly    []string
	dryRun      string
	kubeVersion string
	apiVersions []string

	validate, includeCRDs, skipTests, noHooks, isUpgrade   bool
	skipSchema, enableDNS, disableOpenAPI, dependencyBuild bool
}

func (f *templateFlags) add(flags *pflag.FlagSet) {
	f.from.add(flags)
	flags.StringSliceVarP(&f.values.ValueFiles, "values", "f", nil, "")
	flags.StringArrayVar(&f.values.Values, "set", nil, "")
	flags.StringArrayVar(&f.values.StringValues, "set-string", nil, "")
	flags.StringArrayVar(&f.values.FileValues, "set-file", nil, "")
	flags.StringArrayVar(&f.values.JSONValues, "set-json", nil, "")
	flags.StringArrayVar(&f.values.LiteralValues, "set-literal", nil, "")
	flags.StringVar(&f.outputDir, "output-dir", "", "")
	flags.StringArrayVarP(&f.showOnly, "show-only", "s", nil, "")
	flags.StringVar(&f.dryRun, "dry-run", "", "")
	flags.Lookup("dry-run").NoOptDefVal = "client"
	flags.StringVar(&f.kubeVersion, "kube-version", "", "")
	flags.StringSliceVarP(&f.apiVersions, "api-versions", "a", nil, "")
	flags.BoolVar(&f.validate, "validate", false, "")
	flags.BoolVar(&f.includeCRDs, "include-crds", false, "")
	flags.BoolVar(&f.skipTests, "skip-tests", false, "")
	flags.BoolVar(&f.noHooks, "no-hooks", false, "")
	flags.BoolVar(&f.isUpgrade, "is-upgrade", false, "")
	flags.BoolVar(&f.skipSchema, "skip-schema-validation", false, "")
	flags.BoolVar(&f.enableDNS, "enable-dns", false, "")
	flags.BoolVar(&f.disableOpenAPI, "disable-openapi-validation", false, "")
	flags.BoolVar(&f.dependencyBuild, "dependency-update", false, "")
	ignored(flags)
}

// ignored flags change how an installation goes, not what is rendered; Helm's template command takes them too.
func ignored(flags *pflag.FlagSet) {
	for _, name := range []string{"wait", "wait-for-jobs", "atomic", "force", "create-namespace", "skip-crds",
		"render-subchart-notes", "hide-notes", "take-ownership", "replace"} {
		flags.Bool(name, false, "")
	}
	flags.Duration("timeout", 5*time.Minute, "")
	flags.String("description", "", "")
	flags.StringToString("labels", nil, "")
}

func templateCommand(settings *cli.EnvSettings) *cobra.Command {
	var f templateFlags
	c := &cobra.Command{Use: "template"}
	f.add(c.Flags())
	c.RunE = func(c *cobra.Command, args []string) error {
		args = withoutEmpty(args)
		if err := f.checkPaths(); err != nil {
			return err
		}
		if len(args) != 2 {
			return fmt.Errorf("helm template: expected NAME and CHART, got %q", args)
		}
		rendered, err := f.render(c.Context(), settings, args[0], args[1])
		if err != nil {
			return err
		}
		return f.write(rendered, c.OutOrStdout())
	}
	return c
}

// checkPaths refuses files outside of the repository.
func (f *templateFlags) checkPaths() error {
	roots := sandbox.RootsFromEnvironment()
	paths := slices.Clone(f.values.ValueFiles)
	for _, flag := range f.values.FileValues {
		_, path, _ := strings.Cut(flag, "=")
		paths = append(paths, path)
	}
	if f.outputDir != "" {
		paths = append(paths, f.outputDir)
	}
	for _, path := range paths {
		if err := roots.Check(path); err != nil {
			return err
		}
	}
	return nil
}

// withoutEmpty forgives chartify, which splits its command line at every single space.
func withoutEmpty(args []string) []string {
	var kept []string
	for _, a := range args {
		if strings.TrimSpace(a) != "" {
			kept = append(kept, a)
		}
	}
	return kept
}

func (f *templateFlags) render(ctx context.Context, settings *cli.EnvSettings, name, chartArg string) (*helmrelease.Release, error) {
	s, repositories, err := store(settings)
	if err != nil {
		return nil, err
	}
	wanted, err := f.from.named(chartArg, repositories)
	if err != nil {
		return nil, err
	}
	if f.dependencyBuild && wanted.Path != "" {
		if err := buildDependencies(ctx, wanted.Path, false); err != nil {
			return nil, err
		}
	}
	if wanted.Path == "" {
		agent, err := broker.FromEnvironment()
		if err != nil {
			return nil, err
		}
		if wanted.Path, err = agent.Pull(ctx, wanted); err != nil {
			return nil, err
		}
	}
	wanted.SkipDependencies = true
	loaded, err := s.Load(ctx, wanted)
	if err != nil {
		return nil, err
	}
	given, err := f.values.MergeValues(getter.Providers{})
	if err != nil {
		return nil, fmt.Errorf("merge values: %w", err)
	}
	install, err := f.install(settings)
	if err != nil {
		return nil, err
	}
	install.ReleaseName = name
	made, err := install.RunWithContext(ctx, loaded, given)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return made, nil
}

// install is a dry run that leaves CRDs and output to [documents], since Helm's writes to the process's stdout.
func (f *templateFlags) install(settings *cli.EnvSettings) (*action.Install, error) {
	server, err := f.askServer()
	if err != nil {
		return nil, err
	}
	configuration, err := f.configuration(settings, server)
	if err != nil {
		return nil, err
	}
	install := action.NewInstall(configuration)
	install.Namespace = settings.Namespace()
	install.DryRun, install.DryRunOption = true, "client"
	if server {
		install.DryRunOption = "server"
	}
	install.Replace = true
	install.IsUpgrade = f.isUpgrade
	install.SkipCRDs = true
	install.SkipSchemaValidation = f.skipSchema
	install.EnableDNS = f.enableDNS
	install.DisableOpenAPIValidation = f.disableOpenAPI
	return install, nil
}

// askServer says whether templates may look things up in the cluster.
func (f *templateFlags) askServer() (bool, error) {
	switch f.dryRun {
	case "server", "none", "false":
		return true, nil
	case "", "client", "true":
		return f.validate, nil
	}
	return false, fmt.Errorf("--dry-run=%s: expected client or server", f.dryRun)
}

func (f *templateFlags) write(rendered *helmrelease.Release, stdout io.Writer) error {
	docs, err := f.documents(rendered)
	if err != nil {
		return err
	}
	if f.outputDir != "" {
		return writeFiles(docs, f.outputDir, stdout)
	}
	for _, d := range docs {
		fmt.Fprint(stdout, d)
	}
	return nil
}
