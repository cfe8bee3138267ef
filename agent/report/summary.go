package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/report/internal/sanitize"
)

// Summary is the run in one line. It is the last line of the report and of the log, and the first line of the termination message.
func (r Report) Summary() string {
	code := r.Code()
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%s: %s; %s", codeTitle(code), sanitize.ShortError(r.Err.Error()), r.totals())
	case code == exit.Converged && (r.Command == Diff || r.Command == Access || slices.ContainsFunc(r.Outcomes, r.planned)): // these have not changed the cluster, so they do not say "converged"
		return r.totals()
	default:
		return codeTitle(code) + ": " + r.totals()
	}
}

// codeTitle is the name of the code, with its number unless it is converged.
func codeTitle(code exit.Code) string {
	if code == exit.Converged {
		return code.String()
	}
	return fmt.Sprintf("%s (exit %d)", code, int(code))
}

// totals is "3 installed, 10 unchanged in 12s". It leaves out the duration of a diff.
func (r Report) totals() string {
	if r.Command == Access {
		return r.rightsSummary() + " in " + shortDuration(r.Took)
	}
	text := strings.Join(r.countPhrases(), ", ")
	switch {
	case text == "" && r.Err != nil:
		text = "no releases processed"
	case text == "":
		text = "no releases"
	}
	if r.Command == Diff {
		return text
	}
	return text + " in " + shortDuration(r.Took)
}

// countPhrases lists "3 installed", "2 to upgrade" and so on: one phrase for each status of executed and of planned steps.
func (r Report) countPhrases() []string {
	done, planned := r.counts()
	var phrases []string
	for _, row := range statuses {
		if n := done[row.status]; n > 0 {
			phrases = append(phrases, fmt.Sprintf("%d %s", n, row.done))
		}
		if n := planned[row.status]; n > 0 {
			phrases = append(phrases, fmt.Sprintf("%d %s", n, row.todo))
		}
	}
	return phrases
}

// counts returns the number of releases of each status, separately for executed and planned steps. Both maps have all statuses,
// also with a count of 0.
func (r Report) counts() (done, planned map[status]int) {
	done, planned = make(map[status]int, len(statuses)), make(map[status]int, len(statuses))
	for _, row := range statuses {
		done[row.status], planned[row.status] = 0, 0
	}
	for _, o := range r.Outcomes {
		if r.planned(o) {
			planned[statusOf(o)]++
		} else {
			done[statusOf(o)]++
		}
	}
	return done, planned
}
