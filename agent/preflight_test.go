package agent

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestChange(t *testing.T) {
	key := release.Key{Namespace: "shop", Name: "web"}
	options := release.Options{SkipCRDs: true}
	before, after, crds := manifest("before"), manifest("after"), manifest("crd")
	found, chosen := []release.Drift{{Missing: true}}, []release.Drift{{Mode: release.CorrectDrift}}
	want := &release.Desired{Key: key, Options: options}
	have := &release.Observed{Key: key, Revision: 3, Status: "deployed", Manifest: before, Drifts: found}
	next := &release.Rendered{Key: key, Manifest: after, CRDs: crds}
	for name, tt := range map[string]struct {
		step plan.Step
		want cluster.Change
	}{
		"an install has only a rendered manifest": {
			plan.Step{Key: key, Verb: plan.Install, Want: want, Next: next},
			cluster.Change{Key: key, Action: cluster.Install, Options: options, After: after, CRDs: crds},
		},
		"an upgrade has both manifests": {
			plan.Step{Key: key, Verb: plan.Upgrade, Want: want, Have: have, Next: next},
			cluster.Change{Key: key, Action: cluster.Upgrade, Options: options, Revision: 3, Status: "deployed", Before: before, Drifts: found, After: after, CRDs: crds},
		},
		"a correction has only the drifts that are corrected": {
			plan.Step{Key: key, Verb: plan.Correct, Want: want, Have: have, ToCorrect: chosen},
			cluster.Change{Key: key, Action: cluster.Correct, Options: options, Revision: 3, Status: "deployed", Before: before, Drifts: chosen},
		},
		"an orphan is uninstalled": {
			plan.Step{Key: key, Verb: plan.Prune, Have: have},
			cluster.Change{Key: key, Action: cluster.Uninstall, Revision: 3, Status: "deployed", Before: before, Drifts: found},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, change(tt.step)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func manifest(name string) release.Manifest {
	return release.Manifest{{ObjectKey: release.ObjectKey{Kind: "ConfigMap", Name: name}}}
}

// A verb without an action would be applied without a check of its rights.
func TestEveryVerbThatWritesHasAnAction(t *testing.T) {
	for _, verb := range []plan.Verb{plan.Install, plan.Upgrade, plan.Uninstall, plan.Adopt, plan.Relabel, plan.Correct, plan.Drifted, plan.Unchanged, plan.Leave, plan.Mark, plan.Prune, plan.Orphan, plan.Hold, plan.Refuse} {
		if _, mapped := actions[verb]; mapped != verb.Writes() {
			t.Errorf("%s: has an action: %v, writes: %v", verb, mapped, verb.Writes())
		}
	}
}

func TestChangesAreTheStepsThatWrite(t *testing.T) {
	key := func(name string) release.Key { return release.Key{Namespace: "shop", Name: name} }
	got := changes(plan.Plan{Steps: []plan.Step{
		{Key: key("a"), Verb: plan.Unchanged},
		{Key: key("b"), Verb: plan.Install},
		{Key: key("c"), Verb: plan.Hold},
		{Key: key("d"), Verb: plan.Prune},
	}})
	want := []cluster.Change{{Key: key("b"), Action: cluster.Install}, {Key: key("d"), Action: cluster.Uninstall}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
