package recorder

import (
	"errors"

	"github.com/Masterminds/semver/v3"
	"github.com/helmfile/helmfile/pkg/helmexec"
	chartv4 "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
)

// This file has the methods of helmexec.Interface that record nothing.

// errNotAvailable answers a request that helmfile does not make while it only loads a state.
var errNotAvailable = errors.New("not available while the helmfile is loaded")

// BuildDeps does nothing: the dependencies of a local chart are built when the agent loads the chart.
func (r *Recorder) BuildDeps(string, string, ...string) error { return nil }

// UpdateRepo does nothing: the agent downloads an index when it needs a chart of it.
func (r *Recorder) UpdateRepo() error { return nil }

// ChartExport does nothing: ChartPull has written the chart.
func (r *Recorder) ChartExport(string, string) error { return nil }

// Fetch implements helmexec.Interface.
func (r *Recorder) Fetch(string, ...string) error { return errNotAvailable }

// UpdateDeps implements helmexec.Interface.
func (r *Recorder) UpdateDeps(string) error { return errNotAvailable }

// ShowChart implements helmexec.Interface.
func (r *Recorder) ShowChart(string) (chartv4.Metadata, error) {
	return chartv4.Metadata{}, errNotAvailable
}

// List implements helmexec.Interface.
func (r *Recorder) List(helmexec.HelmContext, string, ...string) (string, error) {
	return "", errNotAvailable
}

// ReleaseStatus implements helmexec.Interface.
func (r *Recorder) ReleaseStatus(helmexec.HelmContext, string, ...string) error {
	return errNotAvailable
}

// DeleteRelease implements helmexec.Interface.
func (r *Recorder) DeleteRelease(helmexec.HelmContext, string, ...string) error {
	return errNotAvailable
}

// TestRelease implements helmexec.Interface.
func (r *Recorder) TestRelease(helmexec.HelmContext, string, ...string) error { return errNotAvailable }

// TemplateRelease implements helmexec.Interface.
func (r *Recorder) TemplateRelease(string, string, ...string) error { return errNotAvailable }

// Lint implements helmexec.Interface.
func (r *Recorder) Lint(string, string, ...string) error { return errNotAvailable }

// Unittest implements helmexec.Interface.
func (r *Recorder) Unittest(string, string, ...string) error { return errNotAvailable }

// DiffRelease implements helmexec.Interface.
func (r *Recorder) DiffRelease(helmexec.HelmContext, string, string, string, bool, ...string) error {
	return errNotAvailable
}

// SetExtraArgs implements helmexec.Interface.
func (r *Recorder) SetExtraArgs(...string) {}

// SetHelmBinary implements helmexec.Interface.
func (r *Recorder) SetHelmBinary(string) {}

// SetEnableLiveOutput implements helmexec.Interface.
func (r *Recorder) SetEnableLiveOutput(bool) {}

// SetDisableForceUpdate implements helmexec.Interface.
func (r *Recorder) SetDisableForceUpdate(bool) {}

// IsHelm3 implements helmexec.Interface.
func (r *Recorder) IsHelm3() bool { return true }

// IsHelm4 implements helmexec.Interface.
func (r *Recorder) IsHelm4() bool { return false }

// helmVersion is the version of Helm in this binary.
var helmVersion = semver.MustParse(chart.HelmVersion())

// GetVersion implements helmexec.Interface.
func (r *Recorder) GetVersion() helmexec.Version {
	return helmexec.Version{Major: int(helmVersion.Major()), Minor: int(helmVersion.Minor()), Patch: int(helmVersion.Patch())}
}

// IsVersionAtLeast implements helmexec.Interface.
func (r *Recorder) IsVersionAtLeast(version string) bool {
	return !helmVersion.LessThan(semver.MustParse(version))
}
