package action

import (
	"context"
	"errors"
	"fmt"
	"time"

	"helm.sh/helm/v3/pkg/action"
	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/options"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// What is atomic is taken back here and not by Helm, in the same way and with the same records: Helm would wait for up to the
// release's whole timeout even when the run has to end, and be killed with a revision pending.

// worthWaiting is the time from which on it makes sense to wait for what was rolled back. Waiting that is broken off would
// call a rollback failed that is not.
const worthWaiting = 30 * time.Second

// takeBackInstall uninstalls what could not be installed, and returns the newest revision that is left and why.
func (r *Releases) takeBackInstall(ctx context.Context, want release.Desired, failed *recordingDriver, cause error) (int, error) {
	longer, end := withCleanupTime(ctx)
	defer end()
	_, err := r.operate(longer, want.Key, expect(after(release.Observed{}, failed)), func(config *action.Configuration) error {
		config.Releases.Driver.(*recordingDriver).removing = true
		uninstall := action.NewUninstall(config)
		uninstall.DisableHooks = want.Options.DisableHooks
		uninstall.Timeout = timeout(ctx, want.Options.Timeout)
		_, err := uninstall.Run(want.Name)
		return err
	})
	if err != nil {
		return failed.version(), fmt.Errorf("%w; it is atomic, but could not be uninstalled: %w", cause, kube.Redact(err))
	}
	return 0, fmt.Errorf("%w; it is atomic, and was uninstalled", cause)
}

// rollBack makes the last good revision the newest, and returns its number and why. It must be a revision that this instance wrote:
// Helm would write whatever another client has put into the record.
func (r *Releases) rollBack(ctx context.Context, want release.Desired, have release.Observed, newest int, cause error) (int, error) {
	longer, end := withCleanupTime(ctx)
	defer end()
	target := rollbackTarget(have)
	records := expected{digests: map[int]string{target.Revision: target.Digest}, newest: newest}
	l, err := r.operate(longer, want.Key, records, func(config *action.Configuration) error {
		good, err := lastGood(config, want.Name)
		if err != nil {
			return err
		}
		if good != target.Revision {
			return fmt.Errorf("revision %d was not written by this agent, or was changed since", good)
		}
		return newRollback(ctx, config, want.Options, good).Run(want.Name)
	})
	newest = max(newest, l.version())
	if err != nil {
		return newest, fmt.Errorf("%w; it is atomic, but could not be rolled back: %w", cause, kube.Redact(err))
	}
	return newest, fmt.Errorf("%w; it is atomic, and was rolled back to revision %d", cause, target.Revision)
}

// rollbackTarget is the newest deployed revision whose record this instance knows; zero when there is none.
func rollbackTarget(have release.Observed) release.Record {
	if have.Trusted && helm.Status(have.Status) == helm.StatusDeployed {
		return release.Record{Revision: have.Revision, Digest: have.Digest}
	}
	return have.LastDeployed
}

func newRollback(ctx context.Context, config *action.Configuration, o release.Options, to int) *action.Rollback {
	given := timeout(ctx, o.Timeout)
	rollback := action.NewRollback(config)
	rollback.Version = to
	rollback.Wait = ctx.Err() == nil && given >= min(worthWaiting, options.Timeout(o.Timeout))
	rollback.WaitForJobs = o.WaitForJobs
	rollback.DisableHooks = o.DisableHooks
	rollback.Recreate = o.RecreatePods
	rollback.Force = o.Force
	rollback.Timeout = given
	return rollback
}

// lastGood is the newest revision that was deployed once: failed ones are not superseded.
func lastGood(config *action.Configuration, name string) (int, error) {
	history, err := config.Releases.History(name)
	if err != nil {
		return 0, fmt.Errorf("look for a revision to roll back to: %w", err)
	}
	good := 0
	for _, revision := range history {
		if status := revision.Info.Status; status == helm.StatusSuperseded || status == helm.StatusDeployed {
			good = max(good, revision.Version)
		}
	}
	if good == 0 {
		return 0, errors.New("no revision of it was ever good")
	}
	return good, nil
}
