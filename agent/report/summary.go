package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Summary is the run in one line: the report's last, the termination message's first, and the log's last.
func (r Report) Summary() string {
	code := r.Code()
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%s: %s; %s", titled(code), headline(r.Err.Error()), r.tally())
	case code == exit.Converged && (r.Command == Diff || r.Command == Access || slices.ContainsFunc(r.Outcomes, r.planned)): // would be converged only if it were done
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
	if r.Command == Access {
		return r.rightsCounted() + " in " + short(r.Took)
	}
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

// counted never claims what was not done: each fate has a word for it, and another for what is still to be done.
func (r Report) counted() []string {
	done, planned := r.counts()
	var words []string
	for _, row := range fates {
		if n := done[row.fate]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, row.done))
		}
		if n := planned[row.fate]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, row.todo))
		}
	}
	return words
}

// counts are what became of the releases, and what is yet to become of them; each release is in one of the two. Both have
// every fate, also those that met no one.
func (r Report) counts() (done, planned map[fate]int) {
	done, planned = make(map[fate]int, len(fates)), make(map[fate]int, len(fates))
	for _, row := range fates {
		done[row.fate], planned[row.fate] = 0, 0
	}
	for _, o := range r.Outcomes {
		if r.planned(o) {
			planned[fateOf(o)]++
		} else {
			done[fateOf(o)]++
		}
	}
	return done, planned
}
