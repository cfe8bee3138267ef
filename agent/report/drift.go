package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/plan"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// driftedFields lists what live objects say instead of what their release says, field by field, with who wrote it and when.
func (r Report) driftedFields(o apply.Outcome) string {
	var text strings.Builder
	for _, drift := range o.Have.Drifts {
		fmt.Fprintf(&text, "  %s%s%s\n", drift.ObjectKey, missing(drift), tolerated(o, drift))
		for _, field := range drift.Fields {
			text.WriteString(r.fieldLine(drift, field))
		}
	}
	return text.String()
}

func missing(drift release.Drift) string {
	if drift.Missing {
		return " is missing"
	}
	return ""
}

// tolerated says of an object beside those that are corrected that it stays as it is.
func tolerated(o apply.Outcome, drift release.Drift) string {
	same := func(other release.Drift) bool { return other.ObjectKey == drift.ObjectKey }
	if o.Verb == plan.Drifted || slices.ContainsFunc(o.ToCorrect, same) {
		return ""
	}
	return " (is not corrected)"
}

func (r Report) fieldLine(drift release.Drift, field release.Field) string {
	line := fmt.Sprintf("%s: %s, should be %s", field.Path, r.shown(drift, field.Path, field.Live), r.shown(drift, field.Path, field.Want))
	if field.Manager != "" {
		line += fmt.Sprintf(" (by %s, %s)", field.Manager, field.Since.UTC().Format(time.RFC3339))
	}
	return "    " + oneLine(line) + "\n"
}

// valueLimit keeps a line a line.
const valueLimit = 120

// shown is a field's value; a Secret's is never shown. It is masked before it is cut: half a secret is not recognized.
func (r Report) shown(drift release.Drift, path string, value any) string {
	if value == nil {
		return "absent"
	}
	if drift.Kind == "Secret" && !strings.HasPrefix(path, "/metadata/labels") {
		return "********"
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return cut(r.hidden(fmt.Sprint(value)), valueLimit)
	}
	return cut(r.hidden(strings.TrimSpace(text.String())), valueLimit)
}
