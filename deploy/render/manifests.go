package render

import (
	"fmt"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"
)

// plain is the release for the manifests without Helm. The agent and its namespace have the same name, so that users can change both
// with one replacement.
var plain = Release{Name: "helmfile-agent", Namespace: "helmfile-agent"}

const plainRepo = "https://git.example.com/shop/config"

// helmLines matches lines that make sense only with Helm: Helm's labels, and the checksum, which only Helm updates.
var helmLines = regexp.MustCompile(`(?m)^ *(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n|^ *annotations:\n *checksum/config: .*\n`)

// object has the fields of a rendered document that this package reads.
type object struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name        string            `json:"name"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Data map[string]string `json:"data"`
}

// manifests returns the documents of the chart with these values, by kind and name. It leaves out hooks and lines that make sense
// only with Helm.
func manifests(c *chart.Chart, values map[string]any) (map[string]string, error) {
	rendered, err := Render(c, plain, values)
	if err != nil {
		return nil, err
	}
	documents := map[string]string{}
	for _, document := range rendered.Documents {
		var o object
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			return nil, fmt.Errorf("read a rendered document: %w", err)
		}
		if o.Metadata.Annotations["helm.sh/hook"] == "" {
			documents[o.Kind+"/"+o.Metadata.Name] = helmLines.ReplaceAllString(document, "")
		}
	}
	return documents, nil
}

// needed names the objects that the agent needs, in the order in which to apply them.
var needed = []string{"ServiceAccount/helmfile-agent", "Role/helmfile-agent", "RoleBinding/helmfile-agent", "ConfigMap/helmfile-agent-config", "CronJob/helmfile-agent"}

func join(head string, documents map[string]string, names []string) ([]byte, error) {
	parts := []string{head}
	for _, name := range names {
		document, found := documents[name]
		if !found {
			return nil, fmt.Errorf("the chart renders no %s", name)
		}
		parts = append(parts, document)
	}
	return []byte(strings.Join(parts, "---\n")), nil
}

// configOf returns the agent's configuration file in a ConfigMap.
func configOf(document string) (string, error) {
	var o object
	err := yaml.Unmarshal([]byte(document), &o)
	return o.Data["agent.yaml"], err
}
