package render

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

// Kubernetes is the version for which the chart is rendered.
const Kubernetes = "v1.36.0"

// Chart loads the chart in the repository at root.
func Chart(root string) (*chart.Chart, error) {
	loaded, err := loader.LoadDir(path.Join(root, "chart"))
	if err != nil {
		return nil, fmt.Errorf("load the chart: %w", err)
	}
	return loaded, nil
}

// Release is the name and the namespace of the release to render.
type Release struct{ Name, Namespace string }

// Rendered is a rendered chart: its objects as YAML documents, including hooks, in the order of the file names; and its notes.
type Rendered struct {
	Documents []string
	Notes     string
}

var separator = regexp.MustCompile(`(?m)^---\s*$`)

// Render renders the chart as `helm template` would. It returns an error if the schema refuses the values.
func Render(c *chart.Chart, release Release, values map[string]any) (Rendered, error) {
	version, err := chartutil.ParseKubeVersion(Kubernetes)
	if err != nil {
		return Rendered{}, err
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	options := chartutil.ReleaseOptions{Name: release.Name, Namespace: release.Namespace, Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(c, values, options, capabilities)
	if err != nil {
		return Rendered{}, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return Rendered{}, err
	}
	return split(files), nil
}

func split(files map[string]string) (r Rendered) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Base(name) == "NOTES.txt" {
			r.Notes = files[name]
			continue
		}
		for _, document := range separator.Split(files[name], -1) {
			if strings.TrimSpace(document) != "" {
				r.Documents = append(r.Documents, strings.TrimSpace(document)+"\n")
			}
		}
	}
	return r
}
