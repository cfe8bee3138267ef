package render

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"helm.sh/helm/v3/pkg/chart"
)

const header = "# Generated from the chart by `make generate`.\n"

const plainHead = header + `# The agent in the namespace helmfile-agent. To use another namespace and your repository:
#
#   sed -e 's/namespace: helmfile-agent$/namespace: shop/' -e 's#https://git.example.com/shop/config#https://git.example.com/you/repo#' \
#     helmfile-agent.yaml | kubectl apply -f -
`

// Files returns all generated files by their paths below root. It reads the hand-written parts of the schema and the README from there.
func Files(root string) (map[string][]byte, error) {
	values, err := os.ReadFile(filepath.Join(root, "chart/values.yaml"))
	if err != nil {
		return nil, err
	}
	introduction, err := os.ReadFile(filepath.Join(root, "chart/README.intro.md"))
	if err != nil {
		return nil, err
	}
	written, err := os.ReadFile(filepath.Join(root, "chart/values.schema.json"))
	if err != nil {
		return nil, err
	}
	c, err := Chart(root)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	if files["chart/values.schema.json"], err = schema(written); err != nil {
		return nil, err
	}
	c.Schema = files["chart/values.schema.json"] // Render below checks the values with the new schema
	if files["chart/README.md"], err = readme(c, introduction, values); err != nil {
		return nil, err
	}
	return files, addManifests(c, files)
}

// addManifests adds the manifests that install the agent without Helm.
func addManifests(c *chart.Chart, files map[string][]byte) error {
	documents, err := manifests(c, map[string]any{
		"config":         map[string]any{"repo": plainRepo},
		"prometheusRule": map[string]any{"enabled": true},
		"dashboard":      map[string]any{"enabled": true},
	})
	if err != nil {
		return fmt.Errorf("render the manifests: %w", err)
	}
	if files["deploy/manifests/helmfile-agent.yaml"], err = join(plainHead, documents, needed); err != nil {
		return err
	}
	base := slices.DeleteFunc(slices.Clone(needed), func(name string) bool { return name == "ConfigMap/helmfile-agent-config" })
	if files["deploy/kustomize/base/helmfile-agent.yaml"], err = join(header, documents, base); err != nil {
		return err
	}
	settings, err := configOf(documents["ConfigMap/helmfile-agent-config"])
	if err != nil {
		return err
	}
	files["deploy/kustomize/base/agent.yaml"] = []byte(settings)
	monitoring := []string{"PrometheusRule/helmfile-agent", "ConfigMap/helmfile-agent-dashboard"}
	files["deploy/kustomize/overlays/production/monitoring.yaml"], err = join(header, documents, monitoring)
	return err
}
