package render

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"helm.sh/helm/v3/pkg/action"
	helmchart "helm.sh/helm/v3/pkg/chart"
	kubefake "helm.sh/helm/v3/pkg/kube/fake"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/options"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/templates"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Renderer renders releases as Helm would.
type Renderer struct {
	kube      *kube.Connection
	history   *history.History
	charts    *chart.Store
	templates templates.Renderer
	volatile  []string

	unresponsiveHosts sync.Map // hosts of charts, each with the error that it did not answer in time
}

// New renders charts from the store. Volatile paths are no part of a chart's identity, because they differ in every run.
func New(c *kube.Connection, h *history.History, charts *chart.Store, t templates.Renderer, volatile []string) *Renderer {
	return &Renderer{kube: c, history: h, charts: charts, templates: t, volatile: volatile}
}

// Render makes, for every release that is to be installed, the revision that Helm would make now. It writes nothing and
// asks the cluster nothing but what templates look up. Of a release whose last revision was made from the same inputs that
// revision is the answer, and no chart is downloaded or rendered. A release that cannot be rendered says why in its Err.
func (r *Renderer) Render(ctx context.Context, want []release.Desired, concurrency int) ([]release.Rendered, error) {
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

func (r *Renderer) render(ctx context.Context, want release.Desired) (rendered release.Rendered) {
	rendered.Key = want.Key
	defer func() {
		if cause := recover(); cause != nil { // a template may bring a function of Helm's to it
			r.kube.Options.Log.Error("panic", "release", want.Key.String(), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
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
		if last, _ := r.history.Observed(want.Key); last.Trusted || rendered.Reproduced {
			rendered.Err = r.history.ProtectedIn(want.Key, last.Manifest)
		}
		return rendered
	}
	revision, err := r.dryRun(ctx, want)
	if err != nil {
		rendered.Err = err
		return rendered
	}
	rendered.Chart, rendered.Values = history.ChartOf(revision), revision.Config
	last, _ := r.history.Last(want.Key)
	rendered.Reproduced = reproduces(last, want.Options, revision)
	if !want.Options.SkipCRDs && !r.history.Upgrades(want.Key) {
		rendered.CRDs = history.CRDsOf(revision.Chart)
	}
	if rendered.Manifest, rendered.Err = r.manifest(ctx, want, revision); rendered.Err != nil {
		return rendered
	}
	if rendered.Err = r.history.ProtectedIn(want.Key, slices.Concat(rendered.Manifest, rendered.CRDs)); rendered.Err != nil {
		return rendered
	}
	rendered.Fingerprint, rendered.Err = r.fingerprint(ctx, want, formFor(revision.Chart, want.Values))
	return rendered
}

// manifest is that of the revision. If the inputs of the last revision are not known, values that differ in each rendering do not count
// as a change.
func (r *Renderer) manifest(ctx context.Context, want release.Desired, revision *helm.Release) (release.Manifest, error) {
	made, err := history.ManifestOf(revision)
	if err != nil {
		return nil, fmt.Errorf("chart %s: %w", want.Chart.Name, err)
	}
	last, ok := r.history.Observed(want.Key)
	if _, known := formOf(last.Fingerprint); !ok || known || last.Status != "deployed" {
		return made, nil
	}
	again := func() (release.Manifest, error) { return r.renderAgain(ctx, want, readsClock(revision.Chart)) }
	if isNondeterministic(last.Manifest, made, again) {
		return last.Manifest, nil
	}
	return made, nil
}

func (r *Renderer) dryRun(ctx context.Context, want release.Desired) (*helm.Release, error) {
	loaded, err := fetchWithTimeout(ctx, r, want.Chart, func(ctx context.Context) (*helmchart.Chart, error) {
		return r.charts.Load(ctx, want.Chart)
	})
	if err != nil {
		return nil, err
	}
	config, err := r.dryConfig(want.Key)
	if err != nil {
		return nil, err
	}
	t := templates.New(ctx, r.kube, r.templates, config, want, loaded, options.CopyOf(want.Values), renderTimeout(ctx, want))
	defer t.RestoreChart()
	if !r.history.Upgrades(want.Key) {
		install := options.NewInstall(config, want)
		t.Install(install)
		install.DryRun, install.DryRunOption, install.Replace = true, "server", true
		return install.RunWithContext(ctx, t.Chart, t.Values)
	}
	last, _ := r.history.Last(want.Key)
	t.Newest = func() int { return last.Version }
	upgrade := options.NewUpgrade(config, want)
	t.Upgrade(upgrade)
	upgrade.DryRun, upgrade.DryRunOption = true, "server"
	return upgrade.RunWithContext(ctx, want.Name, t.Chart, t.Values)
}

// renderTimeout is how long the templates of a release may take before anything is written. It is less when little is left of the run:
// one endless template must not keep all other releases waiting.
func renderTimeout(ctx context.Context, want release.Desired) time.Duration {
	limit := options.Timeout(want.Options.Timeout)
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/4)
	}
	return limit
}

// dryConfig is a Helm whose storage holds what was observed and whose cluster swallows everything. An unfinished revision
// appears as failed in it: whether it may be upgraded is for the plan to say.
func (r *Renderer) dryConfig(key release.Key) (*action.Configuration, error) {
	memory := driver.NewMemory()
	memory.SetNamespace(key.Namespace)
	config := &action.Configuration{
		Releases:     storage.Init(memory),
		KubeClient:   &kubefake.PrintingKubeClient{Out: io.Discard},
		Capabilities: r.kube.Capabilities(),
		Log:          r.kube.Debugf,
	}
	for _, revision := range r.history.Revisions(key) {
		stored := *revision
		info := *revision.Info
		if stored.Info = &info; history.IsUnfinished(info.Status) {
			info.Status = helm.StatusFailed
		}
		if err := config.Releases.Create(&stored); err != nil {
			return nil, fmt.Errorf("rebuild history of %s: %w", key, err)
		}
	}
	return config, nil
}
