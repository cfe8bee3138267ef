package render

import (
	"testing"

	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestARenderingProvesARecordIfItIsTheSame(t *testing.T) {
	for name, test := range map[string]struct {
		options release.Options
		change  func(*helm.Release)
		want    bool
	}{
		"the same":                       {release.Options{}, nil, true},
		"another":                        {release.Options{}, func(r *helm.Release) { r.Manifest += "---\nkind: Secret\n" }, false},
		"the same, of its own values":    {release.Options{ReuseValues: true}, nil, false},
		"the same, of its values, reset": {release.Options{ResetThenReuseValues: true}, nil, false},
	} {
		if got := reproduces(recorded(test.change), test.options, recorded(nil)); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if reproduces(nil, release.Options{}, recorded(nil)) {
		t.Error("a rendering proves a record that is not there")
	}
}

func recorded(change func(*helm.Release)) *helm.Release {
	r := &helm.Release{Name: "web", Namespace: "shop", Version: 3, Manifest: "---\nkind: ConfigMap\n", Info: &helm.Info{Status: helm.StatusDeployed}}
	if change != nil {
		change(r)
	}
	return r
}
