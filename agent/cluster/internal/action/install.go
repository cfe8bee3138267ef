package action

import (
	"context"

	"helm.sh/helm/v3/pkg/action"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/options"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/templates"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Install makes the first revision of a release, or the first after it was uninstalled, and returns the number of the
// newest revision: 0 when none was recorded. After an installation that was interrupted it installs again: the interrupted
// revision stays in the history as failed.
func (r *Releases) Install(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (int, error) {
	if want.Options.CreateNamespace {
		if err := r.ensureNamespace(ctx, want.Namespace); err != nil {
			return 0, err
		}
	}
	var records expected
	if have.Operation == release.Installing {
		records = expect(have)
	}
	l, err := r.revise(ctx, want, records, func(config *action.Configuration, t *templates.Templates) error {
		if have.Operation == release.Installing {
			if err := resume(config, have); err != nil {
				return err
			}
		}
		install := options.NewInstall(config, options.WithOwner(want, owner))
		t.Install(install)
		install.Timeout = t.Limit
		install.Replace = true // takes the name of an uninstalled release whose history was kept
		if install.SkipCRDs || len(t.Chart.CRDObjects()) == 0 {
			_, err := install.RunWithContext(ctx, t.Chart, t.Values)
			return err
		}
		config.Capabilities = nil // templates may ask for what the chart itself brings: Helm discovers it
		_, err := install.RunWithContext(ctx, t.Chart, t.Values)
		if config.Capabilities != nil {
			r.kube.SetCapabilities(config.Capabilities)
		}
		return err
	})
	switch {
	case err == nil:
		return l.version(), nil
	case nameInUse(err) && l.version() == 0:
		return r.upgradeSuperseded(ctx, want, owner, err)
	case want.Options.Atomic && l.version() > 0:
		return r.takeBackInstall(ctx, want, l, kube.UserError(ctx, err))
	default:
		return l.version(), kube.UserError(ctx, err)
	}
}
