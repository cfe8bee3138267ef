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

// Uninstall removes a release with its history. What cannot be removed, or not in time, is left as a failed release.
func (r *Releases) Uninstall(ctx context.Context, want release.Desired) error {
	_, err := r.operate(ctx, want.Key, func(config *action.Configuration) error {
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

// Prune uninstalls what was found and is not declared. It looks once more before: whoever has upgraded the release since,
// taken it over or asked to keep it knows something that this run does not.
func (r *Releases) Prune(ctx context.Context, have release.Observed) error {
	found, err := history.New(r.kube).Find(ctx, have.Key)
	switch {
	case err != nil:
		return fmt.Errorf("look at %s before it is pruned: %w", have.Key, err)
	case found == nil:
		return nil
	case found.Revision != have.Revision || found.Digest != have.Digest || found.Owner != have.Owner || found.KeptByHand != have.KeptByHand:
		return fmt.Errorf("%s was changed by somebody else during this run: not pruned", have.Key)
	}
	return r.Uninstall(ctx, release.Desired{Key: have.Key})
}
