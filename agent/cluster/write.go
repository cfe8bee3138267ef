package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Writer changes the cluster, one release at a time. It is safe for concurrent use on different releases.
type Writer struct {
	c          *Connection
	namespaces sync.Map // name to func() error: each namespace is looked for once
	forgets    bool     // the instance is gone, and its lock should go too
	records    sync.Map // release.Key to release.Record: the newest that this Writer made
}

// NewWriter makes a writer of the cluster that is read. A Reader has no way to one itself.
func NewWriter(r *Reader) *Writer { return &Writer{c: r.c} }

// Install makes the first revision of a release, or the first after it was uninstalled, and returns the number of the
// newest revision: 0 when none was recorded.
func (w *Writer) Install(ctx context.Context, want release.Desired, owner release.Owner) (int, error) {
	if want.Options.CreateNamespace {
		if err := w.ensureNamespace(ctx, want.Namespace); err != nil {
			return 0, err
		}
	}
	l, err := w.revise(ctx, want, func(config *action.Configuration, loaded *chart.Chart, given time.Duration) error {
		install := newInstall(config, labelled(want, owner))
		install.Timeout = given
		install.Replace = true // takes the name of an uninstalled release whose history was kept
		if install.SkipCRDs || len(loaded.CRDObjects()) == 0 {
			_, err := install.RunWithContext(ctx, loaded, copyOf(want.Values))
			return err
		}
		config.Capabilities = nil // templates may ask for what the chart itself brings: Helm discovers it
		_, err := install.RunWithContext(ctx, loaded, copyOf(want.Values))
		if config.Capabilities != nil {
			w.c.SetCapabilities(config.Capabilities)
		}
		return err
	})
	switch {
	case err == nil:
		return l.version(), nil
	case nameInUse(err) && l.version() == 0:
		return w.upgradeSuperseded(ctx, want, owner, err)
	case want.Options.Atomic && l.version() > 0:
		return w.takeBackInstall(ctx, want, l, UserError(ctx, err))
	default:
		return l.version(), UserError(ctx, err)
	}
}

// Upgrade makes the next revision of a release and returns the number of the newest.
func (w *Writer) Upgrade(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (int, error) {
	if helm.Status(have.Status) == helm.StatusUninstalling {
		return w.reinstall(ctx, want, have, owner)
	}
	l, err := w.revise(ctx, want, func(config *action.Configuration, loaded *chart.Chart, given time.Duration) error {
		if err := failPending(config, have); err != nil {
			return err
		}
		upgrade := newUpgrade(config, labelled(want, owner))
		upgrade.Timeout = given
		_, err := upgrade.RunWithContext(ctx, want.Name, loaded, copyOf(want.Values))
		return err
	})
	newest := max(l.version(), have.Revision)
	switch {
	case err == nil:
		return newest, nil
	case want.Options.ReinstallIfForbidden && strings.Contains(err.Error(), "Forbidden: updates"):
		return w.reinstall(ctx, want, have, owner)
	case want.Options.Atomic && l.version() > 0:
		return w.rollBack(ctx, want, have, newest, UserError(ctx, err))
	default:
		return newest, UserError(ctx, err)
	}
}

// revise lets Helm make a revision of a chart, within a time. Of the kinds that the cluster knows now, some may have come
// since the run began, with a release that this one needs: if one is missing, all are discovered anew.
func (w *Writer) revise(ctx context.Context, want release.Desired, do func(*action.Configuration, *chart.Chart, time.Duration) error) (*recordingDriver, error) {
	own := orHelmTimeout(want.Options.Timeout)
	given := timeout(ctx, own)
	once := func() (*recordingDriver, error) {
		return w.operate(ctx, want.Key, func(config *action.Configuration) error {
			loaded, err := w.c.Options.Charts.Load(ctx, want.Chart)
			if err != nil {
				return err
			}
			return do(config, loaded, given)
		})
	}
	l, err := once()
	if noSuchKind(err) && l.version() == 0 && ctx.Err() == nil {
		w.c.Rediscover()
		l, err = once()
	}
	if err == nil {
		w.c.learn(ctx, l.made)
	}
	return l, cutShort(err, given, own)
}

// cutShort says that an operation was given less time than it may take, because the run has to end.
func cutShort(err error, given, own time.Duration) error {
	if err == nil || given >= own {
		return err
	}
	for _, timedOut := range []string{"context deadline exceeded", "timed out waiting"} {
		if strings.Contains(err.Error(), timedOut) {
			return fmt.Errorf("%w: it may take %s, and the run left it %s; raise --timeout", err, own, given.Round(100*time.Millisecond))
		}
	}
	return err
}

// reinstall uninstalls first: helmfile's updateStrategy reinstallIfForbidden, or an uninstall that was interrupted.
func (w *Writer) reinstall(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (int, error) {
	former := want
	former.Options.DeleteWait = true
	former.Options.DisableHooks = want.Options.DisableHooks || !have.Trusted // its hooks are those of the record
	if err := w.Uninstall(ctx, former); err != nil {
		return have.Revision, fmt.Errorf("uninstall before reinstalling: %w", err)
	}
	return w.Install(ctx, want, owner)
}

// Uninstall removes a release with its history. What cannot be removed, or not in time, is left as a failed release.
func (w *Writer) Uninstall(ctx context.Context, want release.Desired) error {
	_, err := w.operate(ctx, want.Key, func(config *action.Configuration) error {
		uninstall := newUninstall(config, want)
		uninstall.Timeout = timeout(ctx, want.Options.DeleteTimeout)
		_, err := uninstall.Run(want.Name)
		return err
	})
	if errors.Is(err, driver.ErrReleaseNotFound) {
		return nil
	}
	return UserError(ctx, err)
}
