package cluster

import (
	"context"
	"net/http"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/live"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/rbac"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/render"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/state"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/templates"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Reader reads the cluster. It has no method that writes, and none that leads to one.
type Reader struct {
	kube      *kube.Connection
	history   *history.History
	renderer  *render.Renderer
	live      *live.Live
	rights    *rbac.Reviewer
	state     *state.Store
	charts    *chart.Store
	templates templates.Renderer

	existing rbac.Existing
}

func newReader(c *kube.Connection, o Options) *Reader {
	h := history.New(c)
	return &Reader{
		kube:      c,
		history:   h,
		renderer:  render.New(c, h, o.Charts, o.Renderer, o.Volatile),
		live:      live.New(c, h),
		rights:    rbac.New(c, h),
		state:     state.New(c),
		charts:    o.Charts,
		templates: o.Renderer,
	}
}

// Namespace is the agent's own.
func (r *Reader) Namespace() string { return r.kube.Namespace }

// ReadProxy answers GET requests as the API server does, with the agent's identity and without what charts must not see.
func (r *Reader) ReadProxy() (http.Handler, error) { return r.kube.ReadProxy() }

// Lock reads the instance's Lease. A forbidden Lease is an error only if the run must write.
func (r *Reader) Lock(ctx context.Context) (Lock, error) {
	lock, err := r.state.Lock(ctx)
	r.existing.Lease = lock.Exists()
	return lock, err
}

// Discover asks the cluster once for its version and APIs. Everything but the lock needs them.
func (r *Reader) Discover(ctx context.Context) error { return r.kube.Discover(ctx) }

// LoadState reads the instance's state. It is empty when there is none, or when it cannot be decoded.
func (r *Reader) LoadState(ctx context.Context) (State, error) {
	loaded, err := r.state.LoadState(ctx)
	r.existing.State = loaded.Exists()
	r.history.Trust(loaded.InstanceState)
	return loaded, err
}

// Observe lists the newest revision of every release in the namespaces, and returns the remembered namespaces that the agent may
// not read.
func (r *Reader) Observe(ctx context.Context, declared, remembered []string) (found []release.Observed, unread []string, err error) {
	return r.history.Observe(ctx, declared, remembered)
}

// ObserveReadable reads the releases in those of the namespaces that the agent may read.
func (r *Reader) ObserveReadable(ctx context.Context, namespaces []string) error {
	return r.history.ObserveReadable(ctx, namespaces)
}

// Prefetch reads, while the helmfile loads, what Observe and Drift need unless the helmfile has changed.
func (r *Reader) Prefetch(ctx context.Context, remembered []string, live bool) {
	r.live.Prefetch(ctx, remembered, live)
}

// Render makes, for every release that is to be installed, the revision that Helm would make now, in the order of want.
func (r *Reader) Render(ctx context.Context, want []release.Desired, concurrency int) ([]release.Rendered, error) {
	return r.renderer.Render(ctx, want, concurrency)
}

// Drift compares the live objects of releases with their newest revisions.
func (r *Reader) Drift(ctx context.Context, releases []release.Observed, rules []release.IgnoreRule, concurrency int) (map[release.Key][]release.Drift, error) {
	return r.live.Drift(ctx, releases, rules, concurrency)
}

// Preflight asks the API server whether the agent has every right that the changes need. Its error is a [MissingRightsError].
func (r *Reader) Preflight(ctx context.Context, changes []Change) error {
	return r.rights.Preflight(ctx, changes, r.existing)
}

// PreflightDestroy is [Reader.Preflight] for changes after which the state and the Lease are deleted.
func (r *Reader) PreflightDestroy(ctx context.Context, changes []Change) error {
	return r.rights.PreflightDestroy(ctx, changes, r.existing)
}

// Access asks the API server about every right that the releases and the agent need. With corrects, drift is corrected too.
func (r *Reader) Access(ctx context.Context, changes []Change, corrects bool) (Access, error) {
	return r.rights.Access(ctx, changes, corrects)
}
