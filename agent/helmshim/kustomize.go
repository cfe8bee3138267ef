package helmshim

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// kustomizeVersion is the release of kustomize that contains version kustomizeAPI of its library.
const (
	kustomizeVersion = "v5.8.1"
	kustomizeAPI     = "v0.21.1"
)

// kustomize is the command tree of `kustomize`.
func kustomize() *cobra.Command {
	c := root("kustomize")
	output := c.PersistentFlags().StringP("output", "o", "", "")
	c.AddCommand(
		&cobra.Command{Use: "version", Args: cobra.NoArgs, Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintln(c.OutOrStdout(), kustomizeVersion)
		}},
		group("edit", group("set",
			editCommand("image", cobra.MinimumNArgs(1), setImages),
			editCommand("nameprefix", cobra.ExactArgs(1), setField("namePrefix")),
			editCommand("namesuffix", cobra.ExactArgs(1), setField("nameSuffix")),
			editCommand("namespace", cobra.ExactArgs(1), setField("namespace")),
		)),
		kustomizeBuildCommand(output),
	)
	return c
}

// kustomizeBuildCommand accepts the flags that allow plugins and Helm charts, because chartify always sets them. It still runs
// neither: a kustomization that needs them fails.
func kustomizeBuildCommand(output *string) *cobra.Command {
	c := &cobra.Command{Use: "build", Args: cobra.MaximumNArgs(1)}
	c.Flags().Bool("enable-alpha-plugins", false, "")
	c.Flags().Bool("enable-helm", false, "")
	c.Flags().String("helm-command", "", "")
	restrictor := c.Flags().String("load-restrictor", types.LoadRestrictionsRootOnly.String(), "")
	c.RunE = func(c *cobra.Command, args []string) error {
		dir := "."
		if len(args) == 1 {
			dir = args[0]
		}
		built, err := buildKustomization(dir, *restrictor)
		if err != nil {
			return fmt.Errorf("kustomize build %s: %w", dir, err)
		}
		if *output == "" {
			_, err = c.OutOrStdout().Write(built)
			return err
		}
		return os.WriteFile(*output, built, 0o644)
	}
	return c
}

func buildKustomization(dir, restrictor string) ([]byte, error) {
	options := krusty.MakeDefaultOptions() // these disable plugins
	options.Reorder = krusty.ReorderOptionUnspecified
	switch restrictor {
	case types.LoadRestrictionsRootOnly.String():
	case types.LoadRestrictionsNone.String():
		options.LoadRestrictions = types.LoadRestrictionsNone
	default:
		return nil, fmt.Errorf("--load-restrictor=%s: expected %s or %s", restrictor,
			types.LoadRestrictionsRootOnly, types.LoadRestrictionsNone)
	}
	built, err := krusty.MakeKustomizer(options).Run(confinedFS{filesys.MakeFsOnDisk(), sandbox.RootsFromEnvironment()}, dir)
	if err != nil {
		return nil, explainRefusal(err)
	}
	return built.AsYaml()
}

// explainRefusal replaces advice of kustomize to set flags, because these flags have no effect here.
func explainRefusal(err error) error {
	switch {
	case strings.Contains(err.Error(), "must specify --enable-helm"):
		return fmt.Errorf("helmfile-agent does not support helmCharts in a kustomization: "+
			"declare the chart as a release, or under the release's dependencies: %w", err)
	case strings.Contains(err.Error(), "external plugins disabled"):
		return fmt.Errorf("helmfile-agent does not run kustomize plugins: %w", err)
	}
	return err
}
