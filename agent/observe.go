package agent

import (
	"cmp"
	"context"
	"slices"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// observe reads the releases in every namespace where the instance has or will have releases.
func (s *session) observe(ctx context.Context) (err error) {
	s.observed, s.unreadable, err = s.reader.Observe(ctx, namespaces(s.desired.Releases), s.previous.Namespaces)
	return cmp.Or(err, s.maskObserved())
}

// render makes the revision that Helm would make now of each declared release.
func (s *session) render(ctx context.Context) (err error) {
	s.rendered, err = s.reader.Render(ctx, s.desired.Releases, s.config.Concurrency)
	return cmp.Or(s.maskRendered(), err)
}

// findDrift compares the live objects of deployed releases with their newest revisions.
func (s *session) findDrift(ctx context.Context) error {
	if !s.checksDrift() {
		return nil
	}
	drifts, err := s.reader.Drift(ctx, driftCandidates(s.desired.Releases, s.observed), s.config.DriftIgnore, s.config.Concurrency)
	for i := range s.observed {
		s.observed[i].Drifts = drifts[s.observed[i].Key]
	}
	return err
}

// checksDrift says whether the configuration asks for drift. A release or an object may still be exempt.
func (s *session) checksDrift() bool { return release.DriftMode(s.config.Drift) != release.IgnoreDrift }

// driftCandidates returns the deployed releases that the helmfile declares as installed, without those whose label says to ignore
// drift.
func driftCandidates(want []release.Desired, have []release.Observed) []release.Observed {
	checked := map[release.Key]bool{}
	for _, w := range want {
		checked[w.Key] = w.State == release.Installed && release.DriftMode(w.Labels[release.DriftLabel]) != release.IgnoreDrift
	}
	return slices.DeleteFunc(slices.Clone(have), func(o release.Observed) bool { return !checked[o.Key] || o.Status != "deployed" })
}

// namespaces returns the namespaces of the declared releases.
func namespaces(want []release.Desired) []string {
	var all []string
	for _, w := range want {
		all = append(all, w.Namespace)
	}
	return all
}
