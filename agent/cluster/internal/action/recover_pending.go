package action

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"helm.sh/helm/v3/pkg/action"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// resume prepares the operation that follows one that was interrupted: it marks the interrupted revision as failed, because Helm refuses
// to go on while a revision is unfinished, and finds out what it may have left in the cluster.
func resume(config *action.Configuration, have release.Observed) error {
	if have.Operation != "" {
		if err := findFormer(config, have.Name, isInterrupted); err != nil {
			return err
		}
	}
	return failPending(config, have)
}

func isInterrupted(revision *helm.Release) bool { return history.Interrupted(revision) != "" }

func isAny(*helm.Release) bool { return true }

// findFormer notes what the revisions since the last deployed one may have left in the cluster, as far as the filter wants them.
func findFormer(config *action.Configuration, name string, filter func(*helm.Release) bool) error {
	revisions, err := config.Releases.History(name)
	if err != nil {
		return fmt.Errorf("look for what was interrupted: %w", err)
	}
	client := config.KubeClient.(*ownedClient)
	good := 0
	for _, revision := range revisions {
		if status := revision.Info.Status; status == helm.StatusDeployed || status == helm.StatusSuperseded {
			good = max(good, revision.Version)
		}
	}
	for _, revision := range revisions {
		if revision.Version >= good && filter(revision) {
			client.addFormer(revision)
		}
	}
	return nil
}

// failPending marks a revision as failed whose Helm client died: Helm refuses to upgrade while a revision is unfinished.
func failPending(config *action.Configuration, have release.Observed) error {
	if !history.IsUnfinished(helm.Status(have.Status)) {
		return nil
	}
	left, err := config.Releases.Get(have.Name, have.Revision)
	if err != nil {
		return fmt.Errorf("read revision %d, which is %s: %w", have.Revision, have.Status, err)
	}
	if left.Info.Status != helm.Status(have.Status) && left.Info.Status != helm.StatusFailed {
		return fmt.Errorf("revision %d became %s during this run: another Helm client is working on it", have.Revision, left.Info.Status)
	}
	left.SetStatus(helm.StatusFailed, "interrupted while "+have.Status+"; given up by helmfile-agent")
	if err := config.Releases.Driver.(*recordingDriver).giveUp(left, have.Operation); err != nil {
		return fmt.Errorf("give up revision %d: %w", have.Revision, err)
	}
	return nil
}

// nameInUse is Helm's word for a release that it will not install, because there is one.
func nameInUse(err error) bool {
	return strings.Contains(err.Error(), "cannot re-use a name that is still in use")
}

// upgradeSuperseded upgrades a release of which only superseded revisions are left, because the newest was lost. `helm upgrade --install`
// does the same. A newest revision with another status was made during this run, and is an error.
func (r *Releases) upgradeSuperseded(ctx context.Context, want release.Desired, owner release.Owner, cause error) (int, error) {
	config, _ := r.helm(ctx, want.Key)
	last, err := config.Releases.Last(want.Name)
	switch {
	case errors.Is(err, driver.ErrReleaseNotFound):
		return 0, cause
	case err != nil:
		return 0, fmt.Errorf("look for earlier revisions: %w", err)
	case last.Info.Status != helm.StatusSuperseded:
		return last.Version, fmt.Errorf("%w: another client installed it during this run", cause)
	}
	if theirs := history.OwnerOf(last).Instance; theirs != "" && theirs != owner.Instance {
		return last.Version, fmt.Errorf("revision %d belongs to instance %s, and this is %s: only one of them may declare it", last.Version, theirs, owner.Instance)
	}
	if err := r.history.RefuseServerSide(ctx, want, last.Version); err != nil {
		return last.Version, err
	}
	return r.Upgrade(ctx, want, release.Observed{Key: want.Key, Revision: last.Version, Digest: history.DigestOf(last), Status: last.Info.Status.String()}, owner)
}
