package agent

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
)

func TestGivingUpLeavesNoWorkspaceAndSaysWhatIsKnown(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "workspace")
	if err := os.MkdirAll(filepath.Join(dir, "checkout"), 0o700); err != nil {
		t.Fatal(err)
	}
	var progress Progress
	r := begin(config.Run, config.Config{}, slog.New(slog.DiscardHandler), nil, &progress)
	progress.in(dir)
	r.planned(plan.Plan{Steps: []plan.Step{{Verb: plan.Upgrade}}})

	got := progress.Abort(exit.With(exit.Deadline, errors.New("late")))
	if got.Code() != exit.Deadline || len(got.Outcomes) != 1 {
		t.Errorf("got %+v", got)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the workspace is still there: %v", err)
	}
}
