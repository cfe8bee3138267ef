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

// Kubernetes is the version that is rendered for.
const Kubernetes = "v1.36.0"

// Chart is the chart below the root of the repository.
func Chart(root string) (*chart.Chart, error) {
	loaded, err := loader.LoadDir(path.Join(root, "chart"))
	if err != nil {
		return nil, fmt.Errorf("load the chart: %w", err)
	}
	return loaded, nil
}

// Release says as what a chart is rendered.
type Release struct{ Name, Namespace string }

// Rendered is what a chart becomes: its objects as YAML documents, hooks included, in the order of the files' names, and the
// notes.
type Rendered struct {
	Documents []string
	Notes     string
}

var separator = regexp.MustCompile(`(?m)^---\s*$`)

// Render renders the chart as `helm template` would. Values that the schema refuses are an error.
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
