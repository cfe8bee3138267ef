package report

import (
	"fmt"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Summary is the run in one line: the report's last, the termination message's first, and the log's last.
func (r Report) Summary() string {
	code := r.Code()
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%s: %s; %s", titled(code), firstLine(r.Err.Error()), r.tally())
	case r.Command == Diff && code == exit.Converged: // would be converged only if it were done
		return r.tally()
	default:
		return titled(code) + ": " + r.tally()
	}
}

// titled is the code's name, with its number if a person might look it up.
func titled(code exit.Code) string {
	if code == exit.Converged {
		return code.String()
	}
	return fmt.Sprintf("%s (exit %d)", code, int(code))
}

// tally is "3 installed, 10 unchanged in 12s". A diff is not timed: the reader waited for it.
func (r Report) tally() string {
	text := strings.Join(r.counted(), ", ")
	switch {
	case text == "" && r.Err != nil:
		text = "no release reached"
	case text == "":
		text = "no releases"
	}
	if r.Command == Diff {
		return text
	}
	return text + " in " + short(r.Took)
}

func (r Report) counted() []string {
	counts := r.counts()
	var words []string
	for _, row := range fates {
		word := row.done
		if r.Command == Diff {
			word = row.todo
		}
		if n := counts[row.fate]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, word))
		}
	}
	return words
}

// counts has every fate, also those that met no one.
func (r Report) counts() map[fate]int {
	counts := make(map[fate]int, len(fates))
	for _, row := range fates {
		counts[row.fate] = 0
	}
	for _, o := range r.Outcomes {
		counts[fateOf(o)]++
	}
	return counts
}
