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
	"github.com/helmfile-agent/helmfile-agent/agent/report/internal/sanitize"
)

// driftedFields lists the fields that differ, with the live and the expected value, the client that wrote the field, and the time.
func (r Report) driftedFields(o apply.Outcome) string {
	var text strings.Builder
	for _, drift := range o.Have.Drifts {
		fmt.Fprintf(&text, "  %s%s%s\n", drift.ObjectKey, missingNote(drift), uncorrectedNote(o, drift))
		for _, field := range drift.Fields {
			text.WriteString(r.fieldLine(drift, field))
		}
	}
	return text.String()
}

func missingNote(drift release.Drift) string {
	if drift.Missing {
		return " is missing"
	}
	return ""
}

// uncorrectedNote marks a drifted object that is not corrected while others of the release are.
func uncorrectedNote(o apply.Outcome, drift release.Drift) string {
	same := func(other release.Drift) bool { return other.ObjectKey == drift.ObjectKey }
	if o.Verb == plan.Drifted || slices.ContainsFunc(o.ToCorrect, same) {
		return ""
	}
	return " (not corrected)"
}

func (r Report) fieldLine(drift release.Drift, field release.Field) string {
	line := fmt.Sprintf("%s: %s, should be %s", field.Path, r.fieldValue(drift, field.Path, field.Live), r.fieldValue(drift, field.Path, field.Want))
	if field.Manager != "" {
		line += fmt.Sprintf(" (by %s, %s)", field.Manager, field.Since.UTC().Format(time.RFC3339))
	}
	return "    " + sanitize.OneLine(line) + "\n"
}

// valueLimit is the number of bytes of a value that are shown, so that each field fits on one line.
const valueLimit = 120

// fieldValue is the value of a field. Values of a Secret are never shown. A value is masked before it is cut, because the mask does
// not recognize a part of a secret.
func (r Report) fieldValue(drift release.Drift, path string, value any) string {
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
		return sanitize.Cut(r.maskText(fmt.Sprint(value)), valueLimit)
	}
	return sanitize.Cut(r.maskText(strings.TrimSpace(text.String())), valueLimit)
}
