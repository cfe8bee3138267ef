package report

import (
	"errors"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestTextsAreMaskedBeforeTheyAreCut: a part of a secret must not stay at the end of the termination message.
func TestTextsAreMaskedBeforeTheyAreCut(t *testing.T) {
	const secret = "correct-horse-battery-staple"
	mask := strings.NewReplacer(secret, "********").Replace
	failure := errors.New("admission webhook says: " + secret)
	original := Report{
		Command:  "run",
		Err:      exit.With(exit.Deadline, failure),
		Warnings: []string{"warned about " + secret},
		Outcomes: []apply.Outcome{{
			Step:   plan.Step{Key: release.Key{Namespace: "shop", Name: "web"}, Verb: plan.Refuse, Why: failure.Error()},
			Result: apply.Failed,
			Err:    failure,
		}},
	}
	masked := original.Masked(mask)
	if masked.Code() != exit.Deadline {
		t.Errorf("the exit code became %v", masked.Code())
	}
	for limit := 1; limit < 500; limit++ {
		if message := string(masked.Termination(limit)); strings.Contains(message, "correct") {
			t.Fatalf("limit %d leaves a part of the secret: %q", limit, message)
		}
	}
	var text, machine strings.Builder
	if err := errors.Join(masked.WriteText(&text, Style{}), masked.WriteJSON(&machine)); err != nil {
		t.Fatal(err)
	}
	if output := text.String() + machine.String(); strings.Contains(output, secret) {
		t.Errorf("the report holds the secret: %s", output)
	}
	if !errors.Is(original.Outcomes[0].Err, failure) || original.Warnings[0] != "warned about "+secret {
		t.Error("the original report was changed")
	}
}
