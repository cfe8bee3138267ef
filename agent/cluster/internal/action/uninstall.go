package action

import (
	"context"
	"errors"
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/options"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Uninstall removes a release with its history, unless its records have changed since they were observed. What cannot be removed, or
// not in time, is left as a failed release.
func (r *Releases) Uninstall(ctx context.Context, want release.Desired, have release.Observed) error {
	_, err := r.operate(ctx, want.Key, expect(have), func(config *action.Configuration) error {
		if err := beginRemoval(config, have); err != nil {
			return err
		}
		uninstall := options.NewUninstall(config, want)
		uninstall.Timeout = timeout(ctx, want.Options.DeleteTimeout)
		_, err := uninstall.Run(want.Name)
		return err
	})
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil
	}
	return kube.UserError(ctx, err)
}

// beginRemoval has the record kept if the uninstallation is interrupted.
func beginRemoval(config *action.Configuration, have release.Observed) error {
	config.Releases.Driver.(*recordingDriver).removing = true
	if have.Operation == "" {
		return nil
	}
	return findFormer(config, have.Name, isAny)
}

// Prune uninstalls a release that is no longer declared. It reads the record once more: a user may have upgraded the release since,
// adopted it, or asked to keep it.
func (r *Releases) Prune(ctx context.Context, have release.Observed) error {
	found, err := history.New(r.kube).Find(ctx, have.Key)
	switch {
	case err != nil:
		return fmt.Errorf("look at %s before it is pruned: %w", have.Key, err)
	case found == nil:
		return nil
	case found.Revision != have.Revision || found.Digest != have.Digest || found.Owner != have.Owner || found.KeptByHand != have.KeptByHand:
		return fmt.Errorf("%s was changed by another client during this run: not pruned", have.Key)
	}
	return r.Uninstall(ctx, release.Desired{Key: have.Key}, have)
}
