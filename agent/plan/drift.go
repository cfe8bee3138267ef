package plan

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// fightAfter is how many runs in a row make the same correction before it is called a fight.
const fightAfter = 3

// toCorrect are the drifted objects to correct: an object's own mode counts before its release's, and that before the run's.
func (m maker) toCorrect(s Step) []release.Drift {
	general := cmp.Or(release.DriftMode(s.Want.Labels[release.DriftLabel]), m.policy.Drift)
	if !s.Proven() {
		return nil
	}
	var correct []release.Drift
	for _, drift := range s.Have.Drifts {
		if cmp.Or(drift.Mode, general) == release.CorrectDrift && !drift.Foreign {
			correct = append(correct, drift)
		}
	}
	return correct
}

// describe says what drifted, in which fields, and who wrote them.
func (m maker) describe(s Step, drifts []release.Drift) string {
	var parts []string
	for _, drift := range drifts {
		part := drift.ObjectKey.String() + " is missing"
		if !drift.Missing {
			part = fmt.Sprintf("%s: %s", drift.ObjectKey, enumerate(written(drift.Fields)))
		}
		if drift.Foreign {
			part += " (not corrected: it does not bear Helm's annotations of this release)"
		}
		if runs := m.corrected[drift.Identity(s.Key)] + 1; runs >= fightAfter {
			part += fmt.Sprintf(" (corrected in %d runs in a row: somebody fights over it)", runs)
		}
		parts = append(parts, part)
	}
	return "drift: " + enumerate(parts)
}

// written names each field with who wrote it. Values are not named: they may be secret.
func written(fields []release.Field) []string {
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = strings.TrimSpace(field.Path)
		if field.Manager != "" {
			names[i] += " by " + field.Manager
		}
	}
	return names
}
