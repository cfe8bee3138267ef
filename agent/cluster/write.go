package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"helm.sh/helm/v3/pkg/action"
	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Writer changes the cluster, one release at a time. It is safe for concurrent use on different releases.
type Writer struct {
	*Cluster
	namespaces sync.Map // name to func() error: each namespace is looked for once
}

// Writer makes a writer of the cluster.
func (c *Cluster) Writer() *Writer { return &Writer{Cluster: c} }

// Install makes the first revision of a release, or the first after it was uninstalled, and returns its number.
func (w *Writer) Install(ctx context.Context, want release.Desired, owner release.Owner) (int, error) {
	if want.Options.CreateNamespace {
		if err := w.ensureNamespace(ctx, want.Namespace); err != nil {
			return 0, err
		}
	}
	config, err := w.helm(want.Namespace)
	if err != nil {
		return 0, err
	}
	loaded, err := w.opts.Charts.Load(ctx, want.Chart)
	if err != nil {
		return 0, err
	}
	install := newInstall(config, labelled(want, owner))
	install.Replace = true // takes the name of an uninstalled release whose history was kept
	made, err := install.RunWithContext(ctx, loaded, copyOf(want.Values))
	return versionOf(made), readable(ctx, err)
}

// Upgrade makes the next revision of a release and returns its number.
func (w *Writer) Upgrade(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (int, error) {
	config, err := w.helm(want.Namespace)
	if err != nil {
		return 0, err
	}
	if err := abandon(config, have); err != nil {
		return have.Revision, err
	}
	loaded, err := w.opts.Charts.Load(ctx, want.Chart)
	if err != nil {
		return have.Revision, err
	}
	made, err := newUpgrade(config, labelled(want, owner)).RunWithContext(ctx, want.Name, loaded, copyOf(want.Values))
	if err != nil && want.Options.ReinstallIfForbidden && strings.Contains(err.Error(), "Forbidden: updates") {
		return w.reinstall(ctx, want, have, owner)
	}
	return max(versionOf(made), have.Revision), readable(ctx, err)
}

// reinstall is helmfile's updateStrategy reinstallIfForbidden.
func (w *Writer) reinstall(ctx context.Context, want release.Desired, have release.Observed, owner release.Owner) (int, error) {
	want.Options.DeleteWait = true
	if err := w.Uninstall(ctx, want); err != nil {
		return have.Revision, fmt.Errorf("uninstall before reinstalling: %w", err)
	}
	return w.Install(ctx, want, owner)
}

// Uninstall removes a release with its history. Helm's uninstall knows no context: when ctx ends first it goes on in the
// background until the process ends.
func (w *Writer) Uninstall(ctx context.Context, want release.Desired) error {
	config, err := w.helm(want.Namespace)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		_, err := newUninstall(config, want).Run(want.Name)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// helm is the SDK for one namespace. The capabilities are the run's, or Helm would discover all APIs again.
func (w *Writer) helm(namespace string) (*action.Configuration, error) {
	config := new(action.Configuration)
	if err := config.Init(w.getter(namespace), namespace, "secret", w.debugf); err != nil {
		return nil, fmt.Errorf("open Helm's storage in namespace %s: %w", namespace, err)
	}
	config.Capabilities = w.capabilities
	return config, nil
}

// abandon lets go of a revision whose maker died: Helm refuses to upgrade while one is pending, or half uninstalled.
func abandon(config *action.Configuration, have release.Observed) error {
	if !halfway(helm.Status(have.Status)) {
		return nil
	}
	pending, err := config.Releases.Get(have.Name, have.Revision)
	if err != nil {
		return fmt.Errorf("read pending revision %d: %w", have.Revision, err)
	}
	pending.SetStatus(helm.StatusFailed, "interrupted while "+have.Status+"; given up by helmfile-agent")
	if err := config.Releases.Update(pending); err != nil {
		return fmt.Errorf("give up pending revision %d: %w", have.Revision, err)
	}
	return nil
}

// halfway is a revision that Helm was making or uninstalling when it was last heard of.
func halfway(status helm.Status) bool { return status.IsPending() || status == helm.StatusUninstalling }

func versionOf(made *helm.Release) int {
	if made == nil {
		return 0
	}
	return made.Version
}
