package cluster

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	kubefake "helm.sh/helm/v3/pkg/kube/fake"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Render makes, for every release that is to be installed, the revision that Helm would make now. It writes nothing and
// asks the cluster nothing but what templates look up. Of a release whose last revision was made from the same inputs that
// revision is the answer, and no chart is downloaded or rendered. A release that cannot be rendered says why in its Err.
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

func (r *Reader) render(ctx context.Context, want release.Desired) (rendered release.Rendered) {
	rendered.Key = want.Key
	defer func() {
		if cause := recover(); cause != nil { // a template may bring a function of Helm's to it
			r.c.Options.Log.Error("panic", "release", want.Key.String(), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			rendered.Err = fmt.Errorf("panic: %v", cause)
		}
	}()
	fingerprint, same, err := r.madeFromTheSame(ctx, want)
	rendered.Fingerprint, rendered.Err = fingerprint, err
	if err != nil {
		return rendered
	}
	if same {
		rendered.Reproduced = r.reproducesUntrusted(ctx, want)
		if last := r.observed[want.Key]; last.Trusted || rendered.Reproduced {
			rendered.Err = r.protect(want, last.Chart, last.Manifest)
		}
		return rendered
	}
	revision, err := r.dryRun(ctx, want)
	if err != nil {
		rendered.Err = err
		return rendered
	}
	rendered.Chart, rendered.Values = ChartOf(revision), revision.Config
	rendered.Reproduced = r.reproduces(want, revision)
	if !want.Options.SkipCRDs && !r.upgrading(want.Key) {
		rendered.CRDs = CRDsOf(revision.Chart)
	}
	if rendered.Manifest, rendered.Err = r.manifest(ctx, want, revision); rendered.Err != nil {
		return rendered
	}
	if rendered.Err = r.protect(want, rendered.Chart, slices.Concat(rendered.Manifest, rendered.CRDs)); rendered.Err != nil {
		return rendered
	}
	rendered.Fingerprint, rendered.Err = r.fingerprint(ctx, want, formFor(revision.Chart, want.Values))
	return rendered
}

// manifest is that of the revision. Where nobody knows what the last one was made from, what differs only by chance does not count.
func (r *Reader) manifest(ctx context.Context, want release.Desired, revision *helm.Release) (release.Manifest, error) {
	made, err := ManifestOf(revision)
	if err != nil {
		return nil, fmt.Errorf("chart %s: %w", want.Chart.Name, err)
	}
	last, ok := r.observed[want.Key]
	if _, known := formOf(last.Fingerprint); !ok || known || last.Status != "deployed" {
		return made, nil
	}
	again := func() (release.Manifest, error) { return r.renderAgain(ctx, want, readsClock(revision.Chart)) }
	if isNondeterministic(last.Manifest, made, again) {
		return last.Manifest, nil
	}
	return made, nil
}

// last is the newest revision that was observed.
func (r *Reader) last(key release.Key) (*helm.Release, bool) {
	revisions := r.records[key]
	if len(revisions) == 0 {
		return nil, false
	}
	return revisions[len(revisions)-1], true
}

func (r *Reader) dryRun(ctx context.Context, want release.Desired) (*helm.Release, error) {
	loaded, err := fetchWithTimeout(ctx, r, want.Chart, func(ctx context.Context) (*chart.Chart, error) {
		return r.c.Options.Charts.Load(ctx, want.Chart)
	})
	if err != nil {
		return nil, err
	}
	config, err := r.dryConfig(ctx, want.Key)
	if err != nil {
		return nil, err
	}
	if !r.upgrading(want.Key) {
		install := newInstall(config, want)
		install.DryRun, install.DryRunOption, install.Replace = true, "server", true
		return install.RunWithContext(ctx, loaded, copyOf(want.Values))
	}
	upgrade := newUpgrade(config, want)
	upgrade.DryRun, upgrade.DryRunOption = true, "server"
	return upgrade.RunWithContext(ctx, want.Name, loaded, copyOf(want.Values))
}

// upgrading says whether the next revision follows another. One that was, or was to be, uninstalled is followed by none.
func (r *Reader) upgrading(key release.Key) bool {
	last, ok := r.last(key)
	return ok && last.Info.Status != helm.StatusUninstalled && last.Info.Status != helm.StatusUninstalling
}

// dryConfig is a Helm whose storage holds what was observed and whose cluster swallows everything. An unfinished revision
// appears as failed in it: whether it may be upgraded is for the plan to say.
func (r *Reader) dryConfig(ctx context.Context, key release.Key) (*action.Configuration, error) {
	memory := driver.NewMemory()
	memory.SetNamespace(key.Namespace)
	config := &action.Configuration{
		RESTClientGetter: templates{r.c.Getter(ctx, key.Namespace)},
		Releases:         storage.Init(memory),
		KubeClient:       &kubefake.PrintingKubeClient{Out: io.Discard},
		Capabilities:     r.c.Capabilities(),
		Log:              r.c.Debugf,
	}
	for _, revision := range r.records[key] {
		stored := *revision
		info := *revision.Info
		if stored.Info = &info; IsUnfinished(info.Status) {
			info.Status = helm.StatusFailed
		}
		if err := config.Releases.Create(&stored); err != nil {
			return nil, fmt.Errorf("rebuild history of %s: %w", key, err)
		}
	}
	return config, nil
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
