package report

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
)

// The golden file is laid out for reading; the report itself is on one line.
func TestWriteJSON(t *testing.T) {
	for name, report := range map[string]Report{"run": everyFate(), "ended-early": endedEarly()} {
		t.Run(name, func(t *testing.T) {
			out := written(t, func(out *bytes.Buffer) error { return report.WriteJSON(out) })
			if lines := bytes.Count(out, []byte("\n")); lines != 1 {
				t.Errorf("got %d lines, want 1", lines)
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, out, "", "  "); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", pretty.Bytes())
		})
	}
}

func TestTheReasonOfARefusalIsItsErrorInJSON(t *testing.T) {
	refusal := apply.Outcome{Step: plan.Step{Key: shop("odd"), Verb: plan.Refuse, Why: "its namespace is another"}}
	got := Report{Command: Diff}.jsonRelease(refusal)
	if got.Error != refusal.Why || got.Result != "failed" {
		t.Errorf("got %+v", got)
	}
}

func TestEveryOutcomeIsInTheJSONOnce(t *testing.T) {
	for range 200 {
		report := random()
		var got jsonReport
		if err := json.Unmarshal(written(t, func(out *bytes.Buffer) error { return report.WriteJSON(out) }), &got); err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for _, release := range got.Releases {
			seen[release.Namespace+"/"+release.Name]++
		}
		for _, o := range report.Outcomes {
			if seen[o.Key.String()] != 1 {
				t.Fatalf("%s: %d times, want once", o.Key, seen[o.Key.String()])
			}
		}
		if len(got.Releases) != len(report.Outcomes) {
			t.Fatalf("got %d releases, want %d", len(got.Releases), len(report.Outcomes))
		}
	}
}

func TestCountsAddUp(t *testing.T) {
	for range 200 {
		report := random()
		total := 0
		for _, n := range report.counts() {
			total += n
		}
		if total != len(report.Outcomes) || len(report.counts()) != len(fates) {
			t.Fatalf("%v: adds up to %d, want %d", report.counts(), total, len(report.Outcomes))
		}
	}
}
