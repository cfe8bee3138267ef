package agent

import (
	"context"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
)

// checkRights asks the API server whether the agent may make every write of the plan. A run without writes does not ask.
func (s *session) checkRights(ctx context.Context) error {
	if !s.writes() {
		return nil
	}
	return s.reader.Preflight(ctx, changes(s.plan))
}

// changes returns the writes of the plan.
func changes(p plan.Plan) []cluster.Change {
	var all []cluster.Change
	for _, step := range p.Changes() {
		all = append(all, change(step))
	}
	return all
}

var actions = map[plan.Verb]cluster.Action{
	plan.Adopt:     cluster.Label,
	plan.Relabel:   cluster.Label,
	plan.Correct:   cluster.Correct,
	plan.Install:   cluster.Install,
	plan.Upgrade:   cluster.Upgrade,
	plan.Uninstall: cluster.Uninstall,
	plan.Prune:     cluster.Uninstall,
}

// change returns what the step writes. A field stays empty if the step has no declared, observed or rendered release.
func change(s plan.Step) cluster.Change {
	c := cluster.Change{Key: s.Key, Action: actions[s.Verb]}
	if s.Want != nil {
		c.Options = s.Want.Options
	}
	if s.Have != nil {
		c.Revision, c.Status, c.Before, c.Drifts = s.Have.Revision, s.Have.Status, s.Have.Manifest, s.Have.Drifts
		c.Interrupted = s.Have.Operation
	}
	if s.Verb == plan.Correct {
		c.Drifts = s.ToCorrect
	}
	if s.Next != nil {
		c.After, c.CRDs = s.Next.Manifest, s.Next.CRDs
	}
	return c
}
