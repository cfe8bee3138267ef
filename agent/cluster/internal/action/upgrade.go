package action

import (
	"context"
	"fmt"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/action"
	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/options"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/templates"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Upgrade makes the next revision of a release and returns the number of the newest.
func (r *Releases) Upgrade(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (int, error) {
	if helm.Status(have.Status) == helm.StatusUninstalling {
		return r.reinstall(ctx, want, have, owner)
	}
	records := expect(have)
	records.values = want.Options.ReuseValues || want.Options.ResetThenReuseValues
	l, err := r.revise(ctx, want, records, func(config *action.Configuration, t *templates.Templates) error {
		if err := resume(config, have); err != nil {
			return err
		}
		upgrade := options.NewUpgrade(config, options.WithOwner(want, owner))
		t.Upgrade(upgrade)
		upgrade.Timeout = t.Limit
		_, err := upgrade.RunWithContext(ctx, want.Name, t.Chart, t.Values)
		return err
	})
	newest := max(l.version(), have.Revision)
	switch {
	case err == nil:
		return newest, nil
	case want.Options.ReinstallIfForbidden && strings.Contains(err.Error(), "Forbidden: updates"):
		return r.reinstall(ctx, want, after(have, l), owner)
	case want.Options.Atomic && l.version() > 0:
		return r.rollBack(ctx, want, have, newest, kube.UserError(ctx, err))
	default:
		return newest, kube.UserError(ctx, err)
	}
}

// revise lets Helm make a revision of a chart, within a time. Of the kinds that the cluster knows now, some may have come
// since the run began, with a release that this one needs: if one is missing, all are discovered anew.
func (r *Releases) revise(ctx context.Context, want release.Desired, records expected, do func(*action.Configuration, *templates.Templates) error) (*recordingDriver, error) {
	own := options.Timeout(want.Options.Timeout)
	given := timeout(ctx, own)
	once := func() (*recordingDriver, error) {
		return r.operate(ctx, want.Key, records, func(config *action.Configuration) error {
			loaded, err := r.charts.Load(ctx, want.Chart)
			if err != nil {
				return err
			}
			t := templates.New(ctx, r.kube, r.templates, config, want, loaded, options.CopyOf(want.Values), given)
			l := config.Releases.Driver.(*recordingDriver)
			l.templates, t.Newest, l.short = t, l.newest, given < own
			return do(config, t)
		})
	}
	l, err := once()
	if kube.IsNoSuchKind(err) && l.version() == 0 && ctx.Err() == nil {
		r.kube.Rediscover()
		l, err = once()
	}
	if err == nil {
		waitForCRDs(ctx, r.kube, l.made)
	}
	return l, cutShort(err, given, own)
}

// cutShort says that an operation was given less time than it may take, because the run has to end.
func cutShort(err error, given, own time.Duration) error {
	if err == nil || given >= own {
		return err
	}
	if timedOut(err.Error()) {
		return fmt.Errorf("%w: it may take %s, and the run left it %s; raise --timeout", err, own, given.Round(100*time.Millisecond))
	}
	return err
}

// timedOut finds Helm's words for an operation that took too long.
func timedOut(text string) bool {
	return strings.Contains(text, "context deadline exceeded") || strings.Contains(text, "timed out waiting")
}

// after is what was observed, with the revision that an operation made since.
func after(have release.Observed, l *recordingDriver) release.Observed {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made != nil {
		have.Revision, have.Digest = l.record.Revision, l.record.Digest
	}
	return have
}

// reinstall uninstalls first: helmfile's updateStrategy reinstallIfForbidden, or an uninstall that was interrupted.
func (r *Releases) reinstall(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (int, error) {
	former := want
	former.Options.DeleteWait = true
	former.Options.DisableHooks = want.Options.DisableHooks || !have.Trusted // its hooks are those of the record
	if err := r.Uninstall(ctx, former, have); err != nil {
		return have.Revision, fmt.Errorf("uninstall before reinstalling: %w", err)
	}
	return r.Install(ctx, want, release.Observed{Key: want.Key}, owner)
}
