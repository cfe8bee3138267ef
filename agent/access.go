package agent

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// Access says what the agent may do of all that the declared releases need over their lives. It writes nothing, and needs no
// right to say what is missing.
func Access(ctx context.Context, cfg config.Config, log *slog.Logger, mask *mask.Mask, progress *Progress) report.Report {
	r := begin(config.Access, cfg, log, mask, progress)
	return r.within(ctx, func(ctx context.Context) error {
		d, err := r.declared(ctx, r.loadStateIfAllowed)
		if err != nil {
			return err
		}
		if err := d.reader.ObserveReadable(ctx, slices.Concat(namespaces(d.Releases), d.was.Namespaces)); err != nil {
			return err
		}
		next, err := d.reader.Render(ctx, d.Releases, cfg.Concurrency)
		if err := cmp.Or(r.learnRendered(next), err); err != nil {
			return err
		}
		found, err := d.reader.Access(ctx, lives(d.Releases, next), r.looksForDrift())
		if err != nil {
			return err
		}
		r.asked(found)
		unrendered := r.unrendered(d.Releases, next)
		return cmp.Or(found.Err, unrendered)
	})
}

// loadStateIfAllowed reads the namespaces of the last run, if the agent has the right to.
func (r *run) loadStateIfAllowed(ctx context.Context, d *declaration) (err error) {
	if d.was, err = d.reader.LoadState(ctx); exit.Of(err) == exit.Forbidden {
		return nil
	}
	return err
}

// asked reports what the API server answered.
func (r *run) asked(found cluster.Access) {
	r.report.Rights = make([]report.Right, 0, len(found.Rules))
	for _, rule := range found.Rules {
		r.report.Rights = append(r.report.Rights, report.Right(rule))
	}
	r.report.Grant = found.Grant
	for _, kind := range found.Unknown {
		r.report.Warnings = append(r.report.Warnings, "nobody defines this kind yet, so that no right to it was asked for: "+kind)
	}
}

// unrendered are the releases of which nobody knows what they need.
func (r *run) unrendered(want []release.Desired, next []release.Rendered) error {
	var lines []string
	for i, w := range want {
		if err := cmp.Or(w.Broken, next[i].Err); err != nil {
			lines = append(lines, fmt.Sprintf("%s: %v", w.Key, err))
			r.report.Warnings = append(r.report.Warnings, fmt.Sprintf("%s cannot be rendered, so what it needs is not known: %v", w.Key, err))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return exit.With(exit.ReleasesFailed, fmt.Errorf("these releases cannot be rendered, so what they need is not known:\n  %s", strings.Join(lines, "\n  ")))
}

// lives are the declared releases as the question of access needs them. next is in the order of want.
func lives(want []release.Desired, next []release.Rendered) []cluster.Change {
	changes := make([]cluster.Change, len(want))
	for i, w := range want {
		changes[i] = cluster.Change{Key: w.Key, Action: lifecycleActions[w.State], Options: w.Options, After: next[i].Manifest, CRDs: next[i].CRDs}
	}
	return changes
}

var lifecycleActions = map[release.DesiredState]cluster.Action{
	release.Installed:  cluster.Lifecycle,
	release.Absent:     cluster.Uninstall,
	release.Disabled:   cluster.NoAction,
	release.Unselected: cluster.NoAction,
}
