package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
)

// Termination is the message for the pod's status, in at most limit bytes of valid UTF-8: the summary, then what went
// wrong, then what was changed, and how much of that found no room. Kubernetes keeps 4096 bytes and cuts without looking.
//
// What is cut can no longer be recognised as a credential: mask errors before they come into the report.
func (r Report) Termination(limit int) []byte {
	return []byte(fit(r.headlines(), limit))
}

// headlines are the lines of the termination message, most important first.
func (r Report) headlines() []string {
	lines := []string{r.Summary()}
	if rest := untold(message(r.Err)); rest != "" {
		lines = append(lines, rest)
	}
	lines = append(lines, r.lines(broken)...)
	lines = append(lines, r.lines(held)...)
	return append(lines, r.lines(changed)...)
}

// untold is what the summary has left out of an error, in one line.
func untold(text string) string {
	told := headline(text)
	var rest []string
	for _, line := range meaningful(text) {
		if said, _ := announcement(line.text); !strings.Contains(told, said) {
			rest = append(rest, line.text)
		}
	}
	return strings.Join(rest, "; ")
}

func changed(o apply.Outcome) bool {
	return slices.Contains([]fate{install, upgrade, uninstall, correct, drifted, prune, mark}, fateOf(o))
}

func (r Report) lines(of func(apply.Outcome) bool) []string {
	var lines []string
	for _, o := range r.sorted() {
		if of(o) {
			lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s %s: %s", o.Key, r.word(o), headline(r.reason(o))), ": "))
		}
	}
	return lines
}

// fit joins as many lines as limit has room for, and says how many it has not.
func fit(lines []string, limit int) string {
	lines = shortened(lines, limit)
	if whole := strings.Join(lines, "\n"); len(whole) <= limit {
		return whole
	}
	text := lines[0]
	if len(more(len(lines))) > limit/2 {
		return cut(text, limit)
	}
	for i, line := range lines[1:] {
		left := len(lines) - 1 - i
		if len(text)+len("\n")+len(line)+len(more(left-1)) > limit {
			return cut(text, limit-len(more(left))) + more(left)
		}
		text += "\n" + line
	}
	return text
}

// more is a last line; its length never grows while n falls.
func more(n int) string { return fmt.Sprintf("\n… and %d more", n) }

// shortened keeps one long error from pushing all others out: a line may take a quarter, or its even share if that is more.
func shortened(lines []string, limit int) []string {
	share := max(limit/4, limit/len(lines)-len("\n"))
	short := []string{cut(oneLine(lines[0]), limit)}
	for _, line := range lines[1:] {
		short = append(short, cut(oneLine(line), share))
	}
	return short
}

// cut is the text in at most limit bytes, never ending inside a rune.
func cut(text string, limit int) string {
	const ellipsis = "…"
	limit = max(limit, 0)
	if len(text) <= limit {
		return text
	}
	mark := ellipsis
	if limit < len(mark) {
		mark = ""
	}
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}
