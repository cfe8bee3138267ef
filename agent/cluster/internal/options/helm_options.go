package options

import (
	"time"

	"helm.sh/helm/v3/pkg/action"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// helmTimeout is Helm's own default for one Kubernetes operation.
const helmTimeout = 5 * time.Minute

// NewInstall returns Helm's action that installs the release. An atomic release waits here, and package action uninstalls it on failure.
func NewInstall(config *action.Configuration, want release.Desired) *action.Install {
	o := want.Options
	install := action.NewInstall(config)
	install.ReleaseName, install.Namespace = want.Name, want.Namespace
	install.Description = o.Description
	install.DisableHooks = o.DisableHooks
	install.DisableOpenAPIValidation = o.DisableOpenAPIValidation
	install.EnableDNS = o.EnableDNS
	install.Force = o.Force
	install.Labels = o.Labels
	install.SkipCRDs = o.SkipCRDs
	install.SkipSchemaValidation = o.SkipSchemaValidation
	install.SubNotes = o.SubNotes
	install.TakeOwnership = o.TakeOwnership
	install.Wait, install.WaitForJobs = o.Wait || o.Atomic, o.WaitForJobs
	return install
}

// NewUpgrade returns Helm's action that upgrades the release. An atomic release waits here, and package action rolls it back on failure.
func NewUpgrade(config *action.Configuration, want release.Desired) *action.Upgrade {
	o := want.Options
	upgrade := action.NewUpgrade(config)
	upgrade.Namespace = want.Namespace
	upgrade.CleanupOnFail = o.CleanupOnFail
	upgrade.Description = o.Description
	upgrade.DisableHooks = o.DisableHooks
	upgrade.DisableOpenAPIValidation = o.DisableOpenAPIValidation
	upgrade.EnableDNS = o.EnableDNS
	upgrade.Force = o.Force
	upgrade.Labels = o.Labels
	upgrade.MaxHistory = o.HistoryMax
	upgrade.Recreate = o.RecreatePods
	upgrade.ReuseValues = o.ReuseValues
	upgrade.ResetThenReuseValues = o.ResetThenReuseValues
	// As in helmfile, the default is not to use the values of the previous revision.
	upgrade.ResetValues = !o.ReuseValues && !o.ResetThenReuseValues
	upgrade.SkipCRDs = o.SkipCRDs
	upgrade.SkipSchemaValidation = o.SkipSchemaValidation
	upgrade.SubNotes = o.SubNotes
	upgrade.TakeOwnership = o.TakeOwnership
	upgrade.Wait, upgrade.WaitForJobs = o.Wait || o.Atomic, o.WaitForJobs
	return upgrade
}

// NewUninstall returns Helm's action that removes the release and its history.
func NewUninstall(config *action.Configuration, want release.Desired) *action.Uninstall {
	uninstall := action.NewUninstall(config)
	uninstall.DeletionPropagation = want.Options.Cascade
	if uninstall.DeletionPropagation == "" {
		uninstall.DeletionPropagation = "background"
	}
	uninstall.DisableHooks = want.Options.DisableHooks
	uninstall.Wait = want.Options.DeleteWait
	return uninstall
}

// Timeout returns the timeout of a release, or Helm's default if it has none.
func Timeout(timeout time.Duration) time.Duration {
	if timeout == 0 {
		return helmTimeout
	}
	return timeout
}
