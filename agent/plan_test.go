package agent

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/desired"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/source"
	"github.com/helmfile-agent/helmfile-agent/agent/source/revision"
)

func TestPolicy(t *testing.T) {
	checkout := source.Checkout{Revision: revision.Revision{Repo: "https://git.example.org/shop", Commit: "c0ffee"}}
	full := config.Config{
		Instance: "shop", Path: "helmfile.yaml", Environment: "prod", Timeout: 10 * time.Minute, Selector: []string{"tier=web"},
		Prune: "two-step", PruneGrace: time.Hour, PruneMaxShare: 30, PruneAllow: "c0ffee", Drift: "correct", AdoptServerSide: true,
	}
	local := full
	local.Dir = "/src/shop"
	want := plan.Policy{
		Instance: "shop", Origin: source.Origin("https://git.example.org/shop", "helmfile.yaml", "prod"), Commit: "c0ffee",
		AbandonedAfter: 11 * time.Minute, SelectorInUse: true, SkippedFiles: []string{"b.yaml"},
		Prune: plan.Pruning{Mode: "two-step", Grace: time.Hour, MaxShare: 30, Allow: "c0ffee"},
		Drift: release.CorrectDrift, AdoptServerSide: true,
	}
	diff, diffOfLocal := want, want
	diff.DiffOnly, diffOfLocal.DiffOnly = true, true
	diffOfLocal.Origin = ""
	for name, tt := range map[string]struct {
		command string
		config  config.Config
		want    plan.Policy
	}{
		"a run":                           {config.Run, full, want},
		"a diff":                          {config.Diff, full, diff},
		"a local directory has no origin": {config.Diff, local, diffOfLocal},
	} {
		t.Run(name, func(t *testing.T) {
			s := testAgent(tt.config).newSession(tt.command)
			s.checkout, s.desired = checkout, desired.Set{SkippedFiles: []string{"b.yaml"}}
			if diff := cmp.Diff(tt.want, s.policy()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
