package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	"helm.sh/helm/v3/pkg/chart"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
)

// longest is how long a default may be in the table.
const longest = 60

// inOneLine is a value as JSON. A long one is not shown.
func inOneLine(node *yaml.Node) (string, error) {
	var decoded any
	if err := node.Decode(&decoded); err != nil {
		return "", fmt.Errorf("values.yaml:%d: %w", node.Line, err)
	}
	encoded, err := json.Marshal(decoded)
	if err != nil {
		return "", fmt.Errorf("values.yaml:%d: %w", node.Line, err)
	}
	if len(encoded) > longest {
		return "see [values.yaml](values.yaml)", nil
	}
	return "`" + string(encoded) + "`", nil
}

// readme is chart/README.md: the introduction, which is written by hand, and a table of every value.
func readme(c *chart.Chart, introduction, values []byte) ([]byte, error) {
	all, err := chapters(values)
	if err != nil {
		return nil, err
	}
	var page strings.Builder
	fmt.Fprintf(&page, "<!-- Made by `make generate` from Chart.yaml, README.intro.md and values.yaml. -->\n# %s\n\n%s\n\n", c.Name(), c.Metadata.Description)
	fmt.Fprintf(&page, "Chart %s, agent %s, Kubernetes %s.\n\n", c.Metadata.Version, c.Metadata.AppVersion, c.Metadata.KubeVersion)
	page.WriteString(strings.TrimSpace(string(introduction)) + "\n\n## Values\n")
	for _, chapter := range all {
		fmt.Fprintf(&page, "\n### %s\n\n| Value | Default | Meaning |\n|---|---|---|\n", chapter.heading)
		for _, v := range chapter.values {
			fmt.Fprintf(&page, "| `%s` | %s | %s |\n", v.key, v.fallback, strings.ReplaceAll(v.meaning, "|", `\|`))
		}
	}
	refused, err := notOffered(c.Schema)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&page, "\n## The keys of config\n\nAll but `gitPassword`, which belongs in a Secret, and those that are not for the chart: `%s`. "+
		"`detailedExitcode` is for `command: diff`.\n\n%s", strings.Join(refused, "`, `"), config.Reference())
	return []byte(page.String()), nil
}

// notOffered are the keys of the agent's file that the values' schema does not offer.
func notOffered(schema []byte) ([]string, error) {
	var offered struct {
		Properties struct {
			Config struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(schema, &offered); err != nil {
		return nil, fmt.Errorf("read the values' schema: %w", err)
	}
	all := config.Schema(config.Run, config.Diff, config.Access, config.Destroy)
	maps.DeleteFunc(all, func(name string, _ any) bool { return offered.Properties.Config.Properties[name] != nil })
	return slices.Sorted(maps.Keys(all)), nil
}
