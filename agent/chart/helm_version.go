package chart

import (
	"runtime/debug"

	"github.com/Masterminds/semver/v3"
	"helm.sh/helm/v3/pkg/chartutil"
)

// HelmVersion is the version of the Helm library that this binary contains, such as v3.22.1.
func HelmVersion() string {
	info, _ := debug.ReadBuildInfo()
	return helmVersion(info)
}

// helmVersion takes the version from the build information. Test binaries carry no list of modules: there it is Helm's own constant,
// which has no patch level.
func helmVersion(info *debug.BuildInfo) string {
	if info != nil {
		for _, module := range info.Deps {
			if module.Path == "helm.sh/helm/v3" {
				return replaced(module).Version
			}
		}
	}
	return "v" + semver.MustParse(chartutil.DefaultCapabilities.HelmVersion.Version).String()
}

func replaced(module *debug.Module) *debug.Module {
	if module.Replace != nil && module.Replace.Version != "" {
		return module.Replace
	}
	return module
}
