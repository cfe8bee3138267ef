package agent

import (
	"context"
	"errors"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// A refusal ends destroy before its writing stages.
func TestDestroyAsksBeforeItGoesOn(t *testing.T) {
	refused := errors.New("not confirmed")
	got := testAgent(config.Config{}).do(t.Context(), config.Destroy,
		askFirst(func(context.Context, report.Report) error { return refused }),
		func(*session, context.Context) error { t.Error("destroy went on"); return nil },
	)
	if !errors.Is(got.Err, refused) {
		t.Errorf("got %v", got.Err)
	}
}

// The state is deleted only if no release is left.
func TestAReleaseIsLeft(t *testing.T) {
	for name, tt := range map[string]struct {
		verb   plan.Verb
		result apply.Result
		want   bool
	}{
		"it was uninstalled":        {plan.Prune, apply.Done, false},
		"its uninstall failed":      {plan.Prune, apply.Failed, true},
		"it was skipped":            {plan.Prune, apply.Skipped, true},
		"it is refused":             {plan.Refuse, apply.Failed, true},
		"it is held, without error": {plan.Hold, apply.Done, true},
	} {
		if got := isLeft(apply.Outcome{Step: plan.Step{Verb: tt.verb}, Result: tt.result}); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
