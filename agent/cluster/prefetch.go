package cluster

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/helmfile-agent/helmfile-agent/agent/drift"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Prefetch reads in advance what Observe and, if live objects will be looked at, Drift are going to ask for unless the helmfile
// has changed: the releases in the agent's own and the remembered namespaces, and the objects of those that the instance owns. It
// is for the time in which the helmfile is loaded. What cannot be read says so where it is needed: there it is asked for again.
func (r *Reader) Prefetch(ctx context.Context, remembered []string, live bool) {
	if _, err := r.listAll(ctx, nil, sets.New(remembered...)); err != nil || !live {
		return
	}
	var own []release.Observed
	for _, found := range r.observed {
		if found.Instance == r.c.Options.Instance && found.Status == "deployed" && !found.DriftOff {
			own = append(own, found)
		}
	}
	targets := r.targets(own)
	found, err := r.live(ctx, targets)
	if err != nil {
		return
	}
	r.prefetched = found
	for _, t := range targets {
		r.compareAhead(t, found[t.scope].objects[t.Name])
	}
}

// compareAhead finds out which objects are as declared in everything, ignored or not. Of them nothing else need be known.
func (r *Reader) compareAhead(t target, live *unstructured.Unstructured) {
	if live == nil || live.GetDeletionTimestamp() != nil {
		return
	}
	if _, corrected, err := drift.Compare(owned(t.Object, t.of), live.Object, nil); err == nil && corrected == nil {
		r.unchanged[live] = t.of
	}
}
