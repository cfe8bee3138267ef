package report

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestTermination(t *testing.T) {
	for name, report := range map[string]Report{"run": everyStatus(), "converged": converged(), "ended-early": endedEarly()} {
		t.Run(name, func(t *testing.T) { golden(t, name+".termination", append(report.Termination(4096), '\n')) })
	}
	t.Run("cut", func(t *testing.T) { golden(t, "cut.termination", append(everyStatus().Termination(400), '\n')) })
}

func TestALongErrorDoesNotDisplaceOtherLines(t *testing.T) {
	report := everyStatus()
	report.Outcomes[1].Err = errors.New(strings.Repeat("ü", 10000))
	if got := report.Termination(4096); !bytes.Contains(got, []byte("shop/web upgraded: values changed")) {
		t.Errorf("got %s", got)
	}
}

func TestHeldOrphansComeBeforeChanges(t *testing.T) {
	var report Report
	for i := range 100 {
		report.Outcomes = append(report.Outcomes, apply.Outcome{Step: plan.Step{Key: shop(fmt.Sprint("a", i)), Verb: plan.Upgrade, Why: "templates changed"}, Result: apply.Done})
	}
	report.Outcomes = append(report.Outcomes, apply.Outcome{Step: plan.Step{Key: shop("z"), Verb: plan.Hold, Why: "nothing is declared"}, Result: apply.Done})
	if got := string(report.Termination(500)); !strings.Contains(got, "\nshop/z held: nothing is declared\n") {
		t.Error(got)
	}
}

func TestASingleErrorMayBeLong(t *testing.T) {
	report := Report{Err: errors.New("short\n" + strings.Repeat("x", 10000))}
	if got := report.Termination(4096); len(got) < 2000 {
		t.Errorf("got %d bytes only", len(got))
	}
}

func TestTerminationIsNotEmptyAndFitsAndIsValidUTF8(t *testing.T) {
	for limit := 1; limit <= 5000; limit++ {
		got := randomReport().Termination(limit)
		if len(got) == 0 || len(got) > limit || !utf8.Valid(got) {
			t.Fatalf("limit %d: %d bytes: %q", limit, len(got), got)
		}
	}
}

func TestTerminationBeginsWithTheSummary(t *testing.T) {
	for range 200 {
		report := randomReport()
		first, _, _ := strings.Cut(string(report.Termination(4096)), "\n")
		if len(report.Summary()) < 2000 && first != report.Summary() {
			t.Fatalf("\n got %q\nwant %q", first, report.Summary())
		}
	}
}

// randomReport is a random report. It may be one that no run can produce.
func randomReport() Report {
	verbs := []plan.Verb{plan.Install, plan.Upgrade, plan.Uninstall, plan.Adopt, plan.Relabel, plan.Correct, plan.Drifted, plan.Unchanged, plan.Leave,
		plan.Mark, plan.Prune, plan.Orphan, plan.Hold, plan.Refuse}
	results := []apply.Result{apply.Done, apply.Failed, apply.Skipped, ""}
	report := Report{Command: []string{"run", Diff}[rand.IntN(2)]}
	for i := range rand.IntN(40) {
		key := release.Key{Namespace: "ns", Name: fmt.Sprintf("r%d", i)}
		report.Outcomes = append(report.Outcomes, apply.Outcome{
			Step:   plan.Step{Key: key, Verb: verbs[rand.IntN(len(verbs))], Why: randomText()},
			Result: results[rand.IntN(len(results))], Err: errors.New(randomText()),
		})
	}
	if rand.IntN(4) == 0 {
		report.Err = exit.With(exit.Deadline, errors.New(randomText()))
	}
	return report
}

func randomText() string {
	letters := []string{"a", "ß", "…", "🚢", "\n", "\t", " ", "\xff", "\x1b"}
	var text strings.Builder
	for range rand.IntN(300) {
		text.WriteString(letters[rand.IntN(len(letters))])
	}
	return text.String()
}
