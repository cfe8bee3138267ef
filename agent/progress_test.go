package agent

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
)

func TestAbortRemovesTheWorkspaceAndReportsThePlan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := os.MkdirAll(filepath.Join(dir, "checkout"), 0o700); err != nil {
		t.Fatal(err)
	}
	a := testAgent(config.Config{})
	s := a.newSession(config.Run)
	s.progress.setWorkspace(dir)
	s.setPlan(plan.Plan{Steps: []plan.Step{{Verb: plan.Upgrade}}})

	got := a.Abort(exit.With(exit.Deadline, errors.New("late")))
	if got.Code() != exit.Deadline || len(got.Outcomes) != 1 {
		t.Errorf("got %+v", got)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the workspace still exists: %v", err)
	}
}

func TestAbortBeforeTheFirstStageReportsTheCommand(t *testing.T) {
	a := testAgent(config.Config{Instance: "shop"})
	a.newSession(config.Destroy)
	if got := a.Abort(errors.New("late")); got.Command != config.Destroy || got.Instance != "shop" || got.Err == nil {
		t.Errorf("got %+v", got)
	}
}
