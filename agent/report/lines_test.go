package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// configMapDiff is the diff of a ConfigMap with one changed value.
func configMapDiff(t *testing.T, mask func(string) string, before, after string) string {
	t.Helper()
	config := func(value string) release.Manifest {
		return release.Manifest{object(map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
			"metadata": map[string]any{"name": "web"}, "data": map[string]any{"a": value}})}
	}
	report := Report{Command: Diff, Outcomes: []apply.Outcome{{Step: plan.Step{Key: shop("web"), Verb: plan.Upgrade,
		Have: &release.Observed{Manifest: config(before)}, Next: &release.Rendered{Manifest: config(after)}}}}}
	if mask != nil {
		report = report.Masked(mask)
	}
	return string(written(t, func(out *bytes.Buffer) error { return report.WriteDiff(out, Style{}) }))
}

func TestALongLineOfADiffIsCut(t *testing.T) {
	got := configMapDiff(t, nil, strings.Repeat("A", 660000), "short")
	if len(got) > 1000 || !strings.Contains(got, "AAA… (660") || !strings.Contains(got, "+  a: short") {
		t.Errorf("got %d bytes: %.600s", len(got), got)
	}
}

func TestALongLineOfADiffIsMaskedBeforeItIsCut(t *testing.T) {
	mask := strings.NewReplacer("hunter2", "********").Replace
	for length := 380; length < 410; length++ {
		if got := configMapDiff(t, mask, "x", strings.Repeat("x", length)+"hunter2"); strings.Contains(got, "hunt") {
			t.Fatalf("length %d: %s", length, got)
		}
	}
}

func TestADiffIsReadable(t *testing.T) {
	for name, c := range map[string]struct{ value, want string }{
		"umlauts and emoji":                              {"grün 🐎", `+  a: "grün 🐎"`},
		"a backslash in quotes":                          {`a\U0001F40E "🐎`, `+  a: "a\\U0001F40E \"🐎"`},
		"an escape sequence as plain text":               {`\U0001F40E`, `+  a: \U0001F40E`},
		"a character that changes the direction of text": {"a\u202eb", `\u202e`},
		"an invisible character":                         {"a\U000E0001b", `\U000E0001`},
	} {
		t.Run(name, func(t *testing.T) {
			got := configMapDiff(t, nil, "x", c.value)
			if !strings.Contains(got, c.want) || strings.ContainsAny(got, "\u202e\U000E0001\x1b") {
				t.Errorf("%s is missing in %q", c.want, got)
			}
		})
	}
}
