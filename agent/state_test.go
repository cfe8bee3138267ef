package agent

import (
	"errors"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestOnlyStepsThatAreDoneCountForTheState(t *testing.T) {
	key := func(name string) release.Key { return release.Key{Namespace: "shop", Name: name} }
	done := doneIn([]apply.Outcome{
		{Step: plan.Step{Key: key("done")}, Result: apply.Done},
		{Step: plan.Step{Key: key("failed")}, Result: apply.Failed},
		{Step: plan.Step{Key: key("skipped")}, Result: apply.Skipped},
	})
	for name, want := range map[string]bool{"done": true, "failed": false, "skipped": false, "unknown": false} {
		if done(key(name)) != want {
			t.Errorf("%s: got %v", name, !want)
		}
	}
}

// A run that has nothing to write takes no lock and needs no right to the Lease.
func TestARunWritesIfAStepWritesOrTheStateChanges(t *testing.T) {
	key := release.Key{Namespace: "shop", Name: "web"}
	for name, tt := range map[string]struct {
		step plan.Step
		want bool
	}{
		"a release without an owner is left": {plan.Step{Key: key, Verb: plan.Leave}, false},
		"a release is installed":             {plan.Step{Key: key, Verb: plan.Install, Want: &release.Desired{Key: key}}, true},
		"an orphan is marked": {
			plan.Step{Key: key, Verb: plan.Mark, Have: &release.Observed{Key: key, Revision: 1, Status: "deployed", Owner: release.Owner{Instance: "shop"}}, Owner: release.Owner{Instance: "shop"}, NewMark: &release.Mark{Key: key}},
			true,
		},
	} {
		s := testAgent(config.Config{}).newSession(config.Run)
		s.plan = plan.Plan{Steps: []plan.Step{tt.step}}
		if got := s.writes(); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestALostStateIsAWarning(t *testing.T) {
	s := testAgent(config.Config{Instance: "shop"}).newSession(config.Run)
	s.warnAboutLostState()
	if s.report.Warnings != nil {
		t.Errorf("got %q", s.report.Warnings)
	}
	s.previous.Lost = errors.New("no JSON")
	s.warnAboutLostState()
	if want := "the state of instance shop could not be decoded and starts empty: no JSON"; len(s.report.Warnings) != 1 || s.report.Warnings[0] != want {
		t.Errorf("got %q", s.report.Warnings)
	}
}
