package agent

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// Access reports which rights the declared releases need over their whole lifecycle, and which of them the agent has. It writes
// nothing to the cluster, and works without any right.
func (a *Agent) Access(ctx context.Context) report.Report {
	return a.do(ctx, config.Access,
		(*session).startLoader,
		(*session).connect,
		(*session).fetch,
		(*session).loadForAccess,
		(*session).observeReadable,
		(*session).render,
		(*session).reviewAccess,
	)
}

func (s *session) loadForAccess(ctx context.Context) error {
	return s.loadWith(ctx, s.loadStateIfAllowed)
}

func (s *session) observeReadable(ctx context.Context) error {
	return s.reader.ObserveReadable(ctx, slices.Concat(namespaces(s.desired.Releases), s.previous.Namespaces))
}

// reviewAccess asks the API server about every right. The error about missing rights counts before the error about releases that cannot be rendered.
func (s *session) reviewAccess(ctx context.Context) error {
	access, err := s.reader.Access(ctx, lifecycleChanges(s.desired.Releases, s.rendered), s.checksDrift())
	if err != nil {
		return err
	}
	s.reportAccess(access)
	return cmp.Or(access.Err, s.reportUnrendered())
}

func (s *session) reportAccess(access cluster.Access) {
	s.report.Rights = make([]report.Right, 0, len(access.Rules))
	for _, rule := range access.Rules {
		s.report.Rights = append(s.report.Rights, report.Right(rule))
	}
	s.report.Grant = access.Grant
	for _, kind := range access.Unknown {
		s.warn("the cluster does not know this kind yet, so its rights were not checked: %s", kind)
	}
}

// reportUnrendered warns about each release whose rights are unknown because it cannot be rendered, and returns one error for all.
func (s *session) reportUnrendered() error {
	var lines []string
	for i, want := range s.desired.Releases {
		if err := cmp.Or(want.Broken, s.rendered[i].Err); err != nil {
			lines = append(lines, fmt.Sprintf("%s: %v", want.Key, err))
			s.warn("%s cannot be rendered, so the rights that it needs are unknown: %v", want.Key, err)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return exit.With(exit.ReleasesFailed, fmt.Errorf("these releases cannot be rendered, so the rights that they need are unknown:\n  %s", strings.Join(lines, "\n  ")))
}

// lifecycleChanges returns what may happen to each declared release. The rendered releases are in the order of the declared ones.
func lifecycleChanges(want []release.Desired, rendered []release.Rendered) []cluster.Change {
	changes := make([]cluster.Change, len(want))
	for i, w := range want {
		changes[i] = cluster.Change{Key: w.Key, Action: lifecycleActions[w.State], Options: w.Options, After: rendered[i].Manifest, CRDs: rendered[i].CRDs}
	}
	return changes
}

var lifecycleActions = map[release.DesiredState]cluster.Action{
	release.Installed:  cluster.Lifecycle,
	release.Absent:     cluster.Uninstall,
	release.Disabled:   cluster.NoAction,
	release.Unselected: cluster.NoAction,
}
