package live

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/helmfile-agent/helmfile-agent/agent/drift"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Prefetch reads, while the helmfile loads, what Observe and Drift will need if the helmfile has not changed. It reads the releases in
// the agent's own and the remembered namespaces and, with live, the live objects of the releases that the instance owns. It drops errors,
// because Observe and Drift read again what is missing and return the error then.
func (l *Live) Prefetch(ctx context.Context, remembered []string, live bool) {
	if _, err := l.history.Read(ctx, nil, sets.New(remembered...)); err != nil || !live {
		return
	}
	var own []release.Observed
	for _, found := range l.history.All() {
		if found.Instance == l.kube.Options.Instance && found.Status == "deployed" && !found.DriftOff {
			own = append(own, found)
		}
	}
	targets := l.targets(own)
	found, err := l.live(ctx, targets)
	if err != nil {
		return
	}
	l.prefetched = found
	for _, t := range targets {
		l.compareAhead(t, found[t.scope].objects[t.Name])
	}
}

// compareAhead records the live object if it does not differ at all, not even in ignored paths.
func (l *Live) compareAhead(t target, live *unstructured.Unstructured) {
	if live == nil || live.GetDeletionTimestamp() != nil {
		return
	}
	if _, corrected, err := drift.Compare(owned(t.Object, t.of), live.Object, nil); err == nil && corrected == nil {
		l.unchanged[live] = t.of
	}
}
