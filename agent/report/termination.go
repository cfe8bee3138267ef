package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/apply"
	"github.com/helmfile-agent/helmfile-agent/agent/report/internal/sanitize"
)

// Termination is the message for the status of the pod, in at most limit bytes of valid UTF-8: the summary, then the errors, then
// the changes, and the number of lines that did not fit. Kubernetes keeps only 4096 bytes.
//
// The report must be masked before, see [Report.Masked]: a credential that was cut cannot be recognized.
func (r Report) Termination(limit int) []byte {
	return []byte(fitLines(r.terminationLines(), limit))
}

// terminationLines are the lines of the termination message. The most important lines come first.
func (r Report) terminationLines() []string {
	lines := []string{r.Summary()}
	if rest := sanitize.Details(message(r.Err)); rest != "" {
		lines = append(lines, rest)
	}
	lines = append(lines, r.lines(hasError)...)
	lines = append(lines, r.lines(held)...)
	return append(lines, r.lines(isChange)...)
}

func isChange(o apply.Outcome) bool {
	return slices.Contains([]status{install, upgrade, uninstall, correct, drifted, prune, mark}, statusOf(o))
}

func (r Report) lines(include func(apply.Outcome) bool) []string {
	var lines []string
	for _, o := range r.sorted() {
		if include(o) {
			lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%s %s: %s", o.Key, r.statusWord(o), sanitize.ShortError(r.reason(o))), ": "))
		}
	}
	return lines
}

// fitLines joins as many lines as fit into limit, and then says how many lines are left out.
func fitLines(lines []string, limit int) string {
	lines = shortenLines(lines, limit)
	if whole := strings.Join(lines, "\n"); len(whole) <= limit {
		return whole
	}
	text := lines[0]
	if len(moreLine(len(lines))) > limit/2 {
		return sanitize.Cut(text, limit)
	}
	for i, line := range lines[1:] {
		left := len(lines) - 1 - i
		if len(text)+len("\n")+len(line)+len(moreLine(left-1)) > limit {
			return sanitize.Cut(text, limit-len(moreLine(left))) + moreLine(left)
		}
		text += "\n" + line
	}
	return text
}

// moreLine is the last line when lines are left out. A smaller n never makes it longer.
func moreLine(n int) string { return fmt.Sprintf("\n… and %d more", n) }

// shortenLines cuts long lines, so that one long error does not displace all others. Each line after the first may take a quarter of
// limit, or an equal share if that is more.
func shortenLines(lines []string, limit int) []string {
	share := max(limit/4, limit/len(lines)-len("\n"))
	short := []string{sanitize.Cut(sanitize.OneLine(lines[0]), limit)}
	for _, line := range lines[1:] {
		short = append(short, sanitize.Cut(sanitize.OneLine(line), share))
	}
	return short
}
