package report

import (
	"path"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// chartOf is the chart of the release after the step: the rendered one, otherwise the stored one, otherwise what the helmfile says
// about it.
func chartOf(o apply.Outcome) release.ChartVersion {
	switch {
	case o.Next != nil && o.Next.Chart.Name != "":
		return o.Next.Chart
	case o.Have != nil:
		return o.Have.Chart
	case o.Want != nil && o.Want.Chart.Name != "":
		return release.ChartVersion{Name: path.Base(o.Want.Chart.Name), Version: o.Want.Chart.Version}
	default:
		return release.ChartVersion{}
	}
}

// chartName is "name-version", as `helm list` writes it.
func chartName(chart release.ChartVersion) string {
	switch {
	case chart.Name == "":
		return "-"
	case chart.Version == "":
		return chart.Name
	default:
		return chart.Name + "-" + chart.Version
	}
}
