package cluster

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v3/pkg/action"
	kubefake "helm.sh/helm/v3/pkg/kube/fake"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Render makes, for every release that is to be installed, the revision that Helm would make now. It writes nothing and
// asks the cluster nothing but what templates look up. A release that cannot be rendered says why in its Err.
func (r *Reader) Render(ctx context.Context, want []release.Desired, concurrency int) ([]release.Rendered, error) {
	rendered := make([]release.Rendered, len(want))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i := range want {
		rendered[i].Key = want[i].Key
		if want[i].State != release.Installed || want[i].Broken != nil {
			continue
		}
		group.Go(func() error {
			rendered[i] = r.render(ctx, want[i])
			return ctx.Err()
		})
	}
	return rendered, group.Wait()
}

func (r *Reader) render(ctx context.Context, want release.Desired) release.Rendered {
	rendered := release.Rendered{Key: want.Key}
	revision, err := r.dryRun(ctx, want)
	if err != nil {
		rendered.Err = err
		return rendered
	}
	rendered.Chart, rendered.Values = chartOf(revision), revision.Config
	if rendered.Manifest, err = manifestOf(revision); err != nil {
		rendered.Err = fmt.Errorf("chart %s: %w", want.Chart.Name, err)
	}
	return rendered
}

func (r *Reader) dryRun(ctx context.Context, want release.Desired) (*helm.Release, error) {
	loaded, err := r.opts.Charts.Load(ctx, want.Chart)
	if err != nil {
		return nil, err
	}
	config, upgrading, err := r.dryConfig(want.Key)
	if err != nil {
		return nil, err
	}
	if !upgrading {
		install := newInstall(config, want)
		install.DryRun, install.DryRunOption, install.Replace = true, "server", true
		return install.RunWithContext(ctx, loaded, copyOf(want.Values))
	}
	upgrade := newUpgrade(config, want)
	upgrade.DryRun, upgrade.DryRunOption = true, "server"
	return upgrade.RunWithContext(ctx, want.Name, loaded, copyOf(want.Values))
}

// dryConfig is a Helm whose storage holds what was observed and whose cluster swallows everything. A revision that
// is halfway appears as failed in it: whether it may be upgraded is for the plan to say.
func (r *Reader) dryConfig(key release.Key) (*action.Configuration, bool, error) {
	memory := driver.NewMemory()
	memory.SetNamespace(key.Namespace)
	config := &action.Configuration{
		RESTClientGetter: r.getter(key.Namespace),
		Releases:         storage.Init(memory),
		KubeClient:       &kubefake.PrintingKubeClient{Out: io.Discard},
		Capabilities:     r.capabilities,
		Log:              r.debugf,
	}
	revisions := r.records[key]
	for _, revision := range revisions {
		stored := *revision
		info := *revision.Info
		if stored.Info = &info; halfway(info.Status) {
			info.Status = helm.StatusFailed
		}
		if err := config.Releases.Create(&stored); err != nil {
			return nil, false, fmt.Errorf("rebuild history of %s: %w", key, err)
		}
	}
	upgrading := len(revisions) > 0 && revisions[len(revisions)-1].Info.Status != helm.StatusUninstalled
	return config, upgrading, nil
}

// copyOf protects values from Helm, which merges into what it is given.
func copyOf(values map[string]any) map[string]any {
	return deepCopy(values).(map[string]any)
}

func deepCopy(value any) any {
	switch node := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(node))
		for key, child := range node {
			copied[key] = deepCopy(child)
		}
		return copied
	case []any:
		copied := make([]any, len(node))
		for i, child := range node {
			copied[i] = deepCopy(child)
		}
		return copied
	default:
		return value
	}
}
