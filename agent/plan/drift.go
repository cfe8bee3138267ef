package plan

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// conflictAfter is the number of consecutive runs with the same correction after which the reason reports a conflict.
const conflictAfter = 3

// toCorrect returns the drifted objects to correct. The mode of the object takes precedence over the mode of the release, and
// that one over the mode of the run.
func (p planner) toCorrect(s Step) []release.Drift {
	defaultMode := cmp.Or(release.DriftMode(s.Want.Labels[release.DriftLabel]), p.policy.Drift)
	if !s.Proven() {
		return nil
	}
	var correct []release.Drift
	for _, drift := range s.Have.Drifts {
		if cmp.Or(drift.Mode, defaultMode) == release.CorrectDrift && !drift.Foreign {
			correct = append(correct, drift)
		}
	}
	return correct
}

// describeDrifts lists the drifted objects, their fields, and the client that wrote each field.
func (p planner) describeDrifts(s Step, drifts []release.Drift) string {
	var parts []string
	for _, drift := range drifts {
		part := drift.ObjectKey.String() + " is missing"
		if !drift.Missing {
			part = fmt.Sprintf("%s: %s", drift.ObjectKey, enumerate(fieldNames(drift.Fields)))
		}
		if drift.Foreign {
			part += " (not corrected: it does not have Helm's annotations of this release)"
		}
		if runs := p.corrected[drift.Identity(s.Key)] + 1; runs >= conflictAfter {
			part += fmt.Sprintf(" (corrected in %d runs in a row: another client keeps changing it)", runs)
		}
		parts = append(parts, part)
	}
	return "drift: " + enumerate(parts)
}

// fieldNames lists each field with the client that wrote it. It leaves out values, because they may be secret.
func fieldNames(fields []release.Field) []string {
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = strings.TrimSpace(field.Path)
		if field.Manager != "" {
			names[i] += " by " + field.Manager
		}
	}
	return names
}
