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

// kustomizeVersion is the release of kustomize that has the API version in go.mod (v0.21.1).
const kustomizeVersion = "v5.8.1"

// kustomize is the command tree of `kustomize`.
func kustomize() *cobra.Command {
	c := root("kustomize")
	output := c.PersistentFlags().StringP("output", "o", "", "")
	c.AddCommand(
		&cobra.Command{Use: "version", Args: cobra.NoArgs, Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintln(c.OutOrStdout(), kustomizeVersion)
		}},
		group("edit", group("set",
			edit("image", cobra.MinimumNArgs(1), setImages),
			edit("nameprefix", cobra.ExactArgs(1), setField("namePrefix")),
			edit("namesuffix", cobra.ExactArgs(1), setField("nameSuffix")),
			edit("namespace", cobra.ExactArgs(1), setField("namespace")),
		)),
		kustomizeBuild(output),
	)
	return c
}

// kustomizeBuild accepts the flags that allow plugins and Helm charts, as chartify always sets them, and still runs
// neither: a kustomization that needs them fails.
func kustomizeBuild(output *string) *cobra.Command {
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
	options := krusty.MakeDefaultOptions() // plugins disabled
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
		return nil, refusal(err)
	}
	return built.AsYaml()
}

// refusal explains what kustomize blames on missing flags.
func refusal(err error) error {
	switch {
	case strings.Contains(err.Error(), "must specify --enable-helm"):
		return fmt.Errorf("helmfile-agent does not inflate helmCharts of a kustomization: "+
			"declare the chart as a release, or under the release's dependencies: %w", err)
	case strings.Contains(err.Error(), "external plugins disabled"):
		return fmt.Errorf("helmfile-agent runs no kustomize plugins: %w", err)
	}
	return err
}
