package chart

import (
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// describe is the name, the version and the repository of a chart for an error, without credentials.
func describe(c release.Chart) string {
	name := c.Name
	if name == "" {
		name = c.Path + c.Ref
	}
	if strings.Contains(name, "://") {
		name = charterrors.PublicURL(name)
	}
	if c.Version != "" {
		name += " version " + c.Version
	}
	if c.Repository != nil {
		name += " from " + charterrors.PublicURL(c.Repository.URL)
	}
	return name
}

// nameInError replaces the path of a local chart in an error by the chart's name in the helmfile, because users do not know the
// temporary path.
func nameInError(c release.Chart, err error) error {
	if c.Path == "" || c.Name == "" {
		return err
	}
	return charterrors.ReplacePath(err, c.Path, c.Name)
}
