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

// templateFlags are the flags of `helm template` that chartify sets, or users with helmfile's templateArgs.
type templateFlags struct {
	source      chartFlags
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
	f.source.add(flags)
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
	addIgnoredFlags(flags)
}

// addIgnoredFlags adds flags that do not change what is rendered, only how it is installed. `helm template` accepts them too.
func addIgnoredFlags(flags *pflag.FlagSet) {
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
		args = nonEmpty(args)
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

// checkPaths refuses paths outside of the repository.
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

// nonEmpty removes empty arguments. chartify produces them, because it splits its command line at every space.
func nonEmpty(args []string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.TrimSpace(arg) == "" })
}

func (f *templateFlags) render(ctx context.Context, settings *cli.EnvSettings, name, chartArg string) (*helmrelease.Release, error) {
	store, repositories, err := openStore(settings)
	if err != nil {
		return nil, err
	}
	resolved, err := f.source.resolve(chartArg, repositories)
	if err != nil {
		return nil, err
	}
	if f.dependencyBuild && resolved.Path != "" {
		if err := buildDependencies(ctx, resolved.Path, false); err != nil {
			return nil, err
		}
	}
	if resolved.Path == "" {
		agent, err := broker.FromEnvironment()
		if err != nil {
			return nil, err
		}
		if resolved.Path, err = agent.Pull(ctx, resolved); err != nil {
			return nil, err
		}
	}
	resolved.SkipDependencies = true
	loaded, err := store.Load(ctx, resolved)
	if err != nil {
		return nil, err
	}
	values, err := f.values.MergeValues(getter.Providers{})
	if err != nil {
		return nil, fmt.Errorf("merge values: %w", err)
	}
	install, err := f.install(settings)
	if err != nil {
		return nil, err
	}
	install.ReleaseName = name
	rendered, err := install.RunWithContext(ctx, loaded, values)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return rendered, nil
}

// install prepares a dry run without CRDs and output, which Helm would write to the stdout of the process. See documents instead.
func (f *templateFlags) install(settings *cli.EnvSettings) (*action.Install, error) {
	server, err := f.usesServer()
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

// usesServer says whether Helm reads the cluster, for capabilities and `lookup`.
func (f *templateFlags) usesServer() (bool, error) {
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
