package report

import (
	"fmt"
	"regexp"
	"strings"
)

// headline is the text in one line that names a culprit: a line that only announces what follows it (`…, because the agent
// may not:`) goes on with the first thing that it announces, and says how many more there are.
func headline(text string) string {
	lines := meaningful(text)
	var parts []string
	for i, line := range lines {
		said, announces := announcement(line.text)
		parts = append(parts, said)
		if announces && i+1 < len(lines) {
			continue
		}
		if n := siblings(lines[:i+1], lines[i+1:]); n > 0 {
			parts[len(parts)-1] += fmt.Sprintf(" and %d more", n)
		}
		break
	}
	return joined(parts)
}

// textLine is a line that says something: how far it is indented, and whether it is an item of a list.
type textLine struct {
	text   string
	indent int
	bullet bool
}

func meaningful(text string) []textLine {
	var lines []textLine
	for line := range strings.Lines(clean(text)) {
		said := oneLine(line)
		if said == "" {
			continue
		}
		if strings.HasPrefix(said, ":") && len(lines) > 0 { // what was said about a list of Helm's, which ends with an empty line
			lines[len(lines)-1].text += said
			continue
		}
		item, bullet := unbulleted(said)
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		lines = append(lines, textLine{item, indent, bullet})
	}
	return lines
}

// unbulleted is an item without its sign: Helm writes lists of errors with "*", and of a schema's with "-".
func unbulleted(line string) (string, bool) {
	for _, sign := range []string{"* ", "- "} {
		if item, found := strings.CutPrefix(line, sign); found {
			return item, true
		}
	}
	return line, false
}

// counting is how Helm announces several errors, or one. It says nothing.
var counting = regexp.MustCompile(`\d+ errors? occurred:$`)

// announcement is the line without what only counts, and whether it promises something that follows.
func announcement(line string) (string, bool) {
	line, announces := strings.TrimSpace(counting.ReplaceAllString(line, "")), strings.HasSuffix(line, ":")
	return strings.TrimSuffix(line, ":"), announces
}

// siblings is how many of the lines that follow are items beside the last of those told: they are indented like it, and
// either bulleted like it or deeper than what announced them.
func siblings(told, rest []textLine) int {
	if len(told) < 2 {
		return 0
	}
	last, announcing := told[len(told)-1], told[len(told)-2]
	if !last.bullet && last.indent <= announcing.indent {
		return 0
	}
	n := 0
	for _, line := range rest {
		switch {
		case line.indent < last.indent, line.indent == last.indent && line.bullet != last.bullet:
			return n
		case line.indent == last.indent:
			n++
		}
	}
	return n
}

func joined(parts []string) string {
	var said []string
	for _, part := range parts {
		if part != "" {
			said = append(said, part)
		}
	}
	return strings.Join(said, ": ")
}
