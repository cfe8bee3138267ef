package chart

import (
	"os"
	"regexp"
	"runtime/debug"
	"testing"

	"github.com/Masterminds/semver/v3"
)

func TestHelmVersionIsThatOfTheModule(t *testing.T) {
	helm := &debug.Module{Path: "helm.sh/helm/v3", Version: "v3.99.7"}
	other := &debug.Module{Path: "helm.sh/other", Version: "v1.0.0"}
	fork := &debug.Module{Path: "helm.sh/helm/v3", Version: "v3.99.7", Replace: &debug.Module{Path: "example.com/helm", Version: "v3.99.8"}}
	local := &debug.Module{Path: "helm.sh/helm/v3", Version: "v3.99.7", Replace: &debug.Module{Path: "../helm"}}
	for want, deps := range map[string][][]*debug.Module{"v3.99.7": {{other, helm}, {local}}, "v3.99.8": {{fork}}} {
		for _, modules := range deps {
			if got := helmVersion(&debug.BuildInfo{Deps: modules}); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}

// Without a list of modules the version is the one in go.mod, but for the patch level.
func TestHelmVersionWithoutModules(t *testing.T) {
	required, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\s*helm\.sh/helm/v3 (v\S+)`).FindSubmatch(required)
	if found == nil {
		t.Fatal("go.mod does not require Helm")
	}
	want := semver.MustParse(string(found[1]))
	for _, info := range []*debug.BuildInfo{nil, {}} {
		got := semver.MustParse(helmVersion(info))
		if got.Major() != want.Major() || got.Minor() != want.Minor() {
			t.Errorf("got %s, go.mod has %s", got, want)
		}
	}
}
