package sanitize

import (
	"fmt"
	"regexp"
	"strings"
)

// ShortError shortens an error to one line that still names a cause. If a line introduces a list ("…, because the agent may not:"),
// ShortError appends the first item of the list and the number of the other items.
func ShortError(text string) string {
	lines := nonEmptyLines(text)
	var parts []string
	for i, line := range lines {
		part, introduces := introduction(line.text)
		parts = append(parts, part)
		if introduces && i+1 < len(lines) {
			continue
		}
		if n := countSiblings(lines[:i+1], lines[i+1:]); n > 0 {
			parts[len(parts)-1] += fmt.Sprintf(" and %d more", n)
		}
		break
	}
	return joinNonEmpty(parts)
}

// textLine is a line that is not empty, with its indentation. A bullet means that the line is an item of a list.
type textLine struct {
	text   string
	indent int
	bullet bool
}

func nonEmptyLines(input string) []textLine {
	var lines []textLine
	for line := range strings.Lines(RemoveControls(input)) {
		text := OneLine(line)
		if text == "" {
			continue
		}
		if strings.HasPrefix(text, ":") && len(lines) > 0 { // this follows a list by Helm, which ends with an empty line
			lines[len(lines)-1].text += text
			continue
		}
		item, bullet := trimBullet(text)
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		lines = append(lines, textLine{item, indent, bullet})
	}
	return lines
}

// trimBullet removes the bullet of an item. Helm uses "*" in lists of errors and "-" in lists of schema violations.
func trimBullet(line string) (string, bool) {
	for _, sign := range []string{"* ", "- "} {
		if item, found := strings.CutPrefix(line, sign); found {
			return item, true
		}
	}
	return line, false
}

// helmErrorCount matches the line before a list of errors by Helm. It contains no useful information.
var helmErrorCount = regexp.MustCompile(`\d+ errors? occurred:$`)

// introduction returns the line without Helm's error count, and whether the line introduces a list.
func introduction(line string) (string, bool) {
	line, introduces := strings.TrimSpace(helmErrorCount.ReplaceAllString(line, "")), strings.HasSuffix(line, ":")
	return strings.TrimSuffix(line, ":"), introduces
}

// countSiblings counts the following items of the same list as the last used line. They have the same indentation. They also have
// the same bullet, or a deeper indentation than the line that introduces the list.
func countSiblings(used, rest []textLine) int {
	if len(used) < 2 {
		return 0
	}
	last, introducing := used[len(used)-1], used[len(used)-2]
	if !last.bullet && last.indent <= introducing.indent {
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

func joinNonEmpty(parts []string) string {
	var nonEmpty []string
	for _, part := range parts {
		if part != "" {
			nonEmpty = append(nonEmpty, part)
		}
	}
	return strings.Join(nonEmpty, ": ")
}

// Details is the part of an error that the summary leaves out, in one line.
func Details(text string) string {
	summary := ShortError(text)
	var rest []string
	for _, line := range nonEmptyLines(text) {
		if part, _ := introduction(line.text); !strings.Contains(summary, part) {
			rest = append(rest, line.text)
		}
	}
	return strings.Join(rest, "; ")
}
