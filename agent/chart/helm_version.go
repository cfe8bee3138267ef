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

// helmVersion takes the version from the build information. The build information of a test has no modules. There it takes the version from
// a constant of Helm, which has no patch level.
func helmVersion(info *debug.BuildInfo) string {
	if info != nil {
		for _, module := range info.Deps {
			if module.Path == "helm.sh/helm/v3" {
				return replacement(module).Version
			}
		}
	}
	return "v" + semver.MustParse(chartutil.DefaultCapabilities.HelmVersion.Version).String()
}

// replacement is the module that is built in place of the required one.
func replacement(module *debug.Module) *debug.Module {
	if module.Replace != nil && module.Replace.Version != "" {
		return module.Replace
	}
	return module
}
