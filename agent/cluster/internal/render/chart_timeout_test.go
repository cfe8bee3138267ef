package render

import (
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestWhereAChartComesFrom(t *testing.T) {
	for want, chart := range map[string]release.Chart{
		"charts.example.com":   {Ref: "web", Repository: &release.Repository{URL: "https://charts.example.com/stable"}},
		"registry.example.com": {Ref: "oci://registry.example.com/team/web"},
		"oci.example.com:5000": {Ref: "team/web", Repository: &release.Repository{URL: "oci.example.com:5000/charts", OCI: true}},
		"files.example.com":    {Ref: "https://files.example.com/web-1.0.0.tgz"},
		"":                     {Path: "/checkout/charts/web"},
	} {
		if got := hostOf(chart); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
