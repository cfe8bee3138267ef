package render

import (
	"fmt"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"
)

// plain is as what the manifests without Helm are rendered. One name serves for the agent and its namespace, so that one
// replacement of text moves them.
var plain = Release{Name: "helmfile-agent", Namespace: "helmfile-agent"}

const plainRepo = "https://git.example.com/shop/config"

// onlyHelms are lines that are true only of what Helm installs: its labels, and the checksum, which nobody else would renew.
var onlyHelms = regexp.MustCompile(`(?m)^ *(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n|^ *annotations:\n *checksum/config: .*\n`)

// object is what is looked at in a rendered document.
type object struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name        string            `json:"name"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Data map[string]string `json:"data"`
}

// manifests are the documents of the chart with these values, as text for people, without what is only Helm's. The order is
// one in which they can be applied.
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
			documents[o.Kind+"/"+o.Metadata.Name] = onlyHelms.ReplaceAllString(document, "")
		}
	}
	return documents, nil
}

// needed are the objects that the agent needs, in the order in which they are applied.
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

// configOf is the agent's configuration file in a ConfigMap.
func configOf(document string) (string, error) {
	var o object
	err := yaml.Unmarshal([]byte(document), &o)
	return o.Data["agent.yaml"], err
}
