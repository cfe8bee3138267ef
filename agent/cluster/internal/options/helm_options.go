package options

import (
	"time"

	"helm.sh/helm/v3/pkg/action"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// helmTimeout is Helm's own default for one Kubernetes operation.
const helmTimeout = 5 * time.Minute

// NewInstall is the installation of a release. It waits when the release is atomic; package action rolls back.
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

// NewUpgrade is the upgrade of a release. It waits when the release is atomic; package action rolls back.
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
	// helmfile's own default: the values of the previous revision do not linger.
	upgrade.ResetValues = !o.ReuseValues && !o.ResetThenReuseValues
	upgrade.SkipCRDs = o.SkipCRDs
	upgrade.SkipSchemaValidation = o.SkipSchemaValidation
	upgrade.SubNotes = o.SubNotes
	upgrade.TakeOwnership = o.TakeOwnership
	upgrade.Wait, upgrade.WaitForJobs = o.Wait || o.Atomic, o.WaitForJobs
	return upgrade
}

// NewUninstall is the removal of a release with its history.
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

// Timeout is Helm's default when a release has none of its own.
func Timeout(timeout time.Duration) time.Duration {
	if timeout == 0 {
		return helmTimeout
	}
	return timeout
}
