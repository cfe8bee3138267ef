package agent

import (
	"context"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/desired"
	"github.com/helmfile-agent/helmfile-agent/agent/source"
)

// declaration is what the repository says, and the cluster that it says it about.
type declaration struct {
	desired.Set
	checkout source.Checkout
	reader   *cluster.Reader
	lock     cluster.Lock
	was      cluster.State
}

// declared reads the repository. What does not depend on each other is done at once: the clone and the discovery of the
// cluster's APIs, then the loading of the helmfile and what is read of the cluster meanwhile.
func (r *run) declared(ctx context.Context, meanwhile func(context.Context, *declaration) error) (d declaration, err error) {
	charts, err := r.charts()
	if err != nil {
		return d, err
	}
	loader, err := desired.Start(r.workspace, r.cfg.TemplateEnv)
	if err != nil {
		return d, err
	}
	defer loader.Close()
	if err := r.reach(ctx, charts, &d); err != nil {
		return d, err
	}
	err = both(ctx,
		func(ctx context.Context) (err error) {
			d.Set, err = r.load(ctx, loader, d.checkout, d.reader, charts)
			return err
		},
		func(ctx context.Context) error { return meanwhile(ctx, &d) })
	for _, file := range d.PassedOver {
		r.report.Warnings = append(r.report.Warnings, "passed over: "+file)
	}
	r.exempt(d.Set)
	r.warnOfLost(d.was)
	return d, err
}

// reach finds the cluster and clones the repository. The lock comes first: whoever holds it after it was looked at may have a newer
// checkout.
func (r *run) reach(ctx context.Context, charts *chart.Store, d *declaration) (err error) {
	if d.reader, d.lock, err = r.connect(ctx, charts); err != nil {
		return err
	}
	err = both(ctx,
		func(ctx context.Context) (err error) {
			if d.checkout, err = r.checkout(ctx); err != nil {
				return err
			}
			return charts.Confine(d.checkout.Dir, r.workspace)
		},
		d.reader.Discover)
	r.report.Source = d.checkout.Revision
	r.progress.note(r.report)
	return err
}

// foresee reads of the cluster what can be known to be needed before the helmfile is loaded.
func (r *run) foresee(ctx context.Context, d *declaration) (err error) {
	if d.was, err = d.reader.LoadState(ctx); err == nil {
		d.reader.Prefetch(ctx, d.was.Namespaces, r.looksForDrift())
	}
	return err
}
