package report

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/source/revision"
)

// TestWriteJSON compares with an indented golden file; the report itself is on one line.
func TestWriteJSON(t *testing.T) {
	for name, report := range map[string]Report{"run": everyStatus(), "ended-early": endedEarly()} {
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

// TestEveryFieldOfTheJSONIsDocumented: programs depend on the schema in docs/report.md.
func TestEveryFieldOfTheJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []any{jsonReport{}, jsonRelease{}, jsonChart{}, revision.Revision{}} {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(part)) {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("docs/report.md does not document the field %s", name)
			}
		}
	}
	for _, row := range statuses {
		if !strings.Contains(string(page), "`"+string(row.status)+"`") {
			t.Errorf("docs/report.md does not document the status %s", row.status)
		}
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
		report := randomReport()
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
		report := randomReport()
		total := 0
		done, planned := report.counts()
		for _, row := range statuses {
			total += done[row.status] + planned[row.status]
		}
		if total != len(report.Outcomes) || len(done) != len(statuses) || len(planned) != len(statuses) {
			t.Fatalf("%v and %v: adds up to %d, want %d", done, planned, total, len(report.Outcomes))
		}
	}
}
