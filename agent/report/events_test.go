package report

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestEvents(t *testing.T) {
	want := []string{
		"cache 1 Normal Installed: installed: not installed",
		"db 4 Warning Failed: failed: upgrade shop/db: the StatefulSet is not ready\n  pod db-0: ImagePullBackOff\n  pod db-1: Pending",
		"doubtful 4 Warning PruneRefused: held: no longer declared; it was installed from another repository, path or environment",
		"edited 3 Normal DriftCorrected: corrected: drift: ConfigMap/edited is missing, Deployment/edited: /spec/replicas by kubectl-scale",
		"found 9 Normal Adopted: adopted: as declared, but no instance owns it yet",
		"free 3 Normal Drifted: drifted: drift: ConfigMap/free is missing",
		"odd 0 Warning Refused: refused: render shop/odd: odd/templates/a.yaml:3: nil pointer evaluating interface {}.host",
		"old 0 Normal Uninstalled: uninstalled: declared with installed: false",
		"stale 0 Normal Pruned: pruned: no longer declared since commit 0123456, marked 2026-11-20T20:10:00Z",
		"unseen 2 Normal PruneMarked: marked: no longer declared since commit 3f2a9c1; will be uninstalled by the next run",
		"web 7 Normal Upgraded: upgraded: values changed: replicaCount",
	}
	if diff := cmp.Diff(want, eventLines(everyStatus().Events())); diff != "" {
		t.Error(diff)
	}
}

// eventLines is each event as "name revision type Reason: message".
func eventLines(events []release.Event) (lines []string) {
	for _, e := range events {
		kind := "Normal"
		if e.Warning {
			kind = "Warning"
		}
		lines = append(lines, fmt.Sprintf("%s %d %s %s: %s", e.Name, e.Revision, kind, e.Reason, e.Message))
	}
	return lines
}

func TestARunThatChangesNothingHasNoEvents(t *testing.T) {
	if events := converged().Events(); len(events) > 0 {
		t.Error(eventLines(events))
	}
}

func TestAReleaseThatIsDeclaredAgainHasAnEvent(t *testing.T) {
	disabled := want("web", "1")
	disabled.State = release.Disabled
	for name, test := range map[string]struct {
		step plan.Step
		want string // the reason of the Event
	}{
		"declared again":               {plan.Step{Verb: plan.Unchanged, Want: want("web", "1")}, "PruneUnmarked"},
		"declared again, but disabled": {plan.Step{Verb: plan.Leave, Want: disabled}, "PruneUnmarked"},
		"declared again and upgraded":  {plan.Step{Verb: plan.Upgrade, Want: want("web", "1")}, "Upgraded"},
		"still undeclared":             {plan.Step{Verb: plan.Orphan}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			test.step.Mark = &release.Mark{}
			var got string
			for _, e := range (Report{Outcomes: []apply.Outcome{{Step: test.step, Result: apply.Done}}}).Events() {
				got += e.Reason
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAnEventIsShortAndClean(t *testing.T) {
	for range 1000 {
		report := randomReport()
		for i := range report.Outcomes {
			report.Outcomes[i].Err = errors.New(strings.Repeat(randomText(), 5))
		}
		for _, e := range report.Events() {
			if len(e.Message) > 1024 || !utf8.ValidString(e.Message) || strings.Contains(e.Message, "\x1b") {
				t.Fatalf("%d bytes: %q", len(e.Message), e.Message)
			}
		}
	}
}

// TestEventsOfAMaskedReport: a secret stays masked wherever the message is cut.
func TestEventsOfAMaskedReport(t *testing.T) {
	mask := strings.NewReplacer("hunter2", "********").Replace
	for length := range 1100 {
		text := strings.Repeat("x", length) + "hunter2"
		report := Report{Outcomes: []apply.Outcome{
			{Step: plan.Step{Key: shop("a"), Verb: plan.Upgrade, Why: "w"}, Result: apply.Failed, Err: errors.New(text)},
			{Step: plan.Step{Key: shop("b"), Verb: plan.Hold, Why: text}, Result: apply.Done},
		}}
		for _, e := range report.Masked(mask).Events() {
			if strings.Contains(e.Message, "hunter") {
				t.Fatalf("length %d: %s", length, e.Message)
			}
		}
	}
}
