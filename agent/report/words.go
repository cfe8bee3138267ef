package report

import (
	"strings"
	"time"
	"unicode"
)

// clean drops what could play tricks on a terminal: charts, commits and errors are written by others.
func clean(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(char rune) rune {
		control := unicode.IsControl(char) && char != '\n' && char != '\t'
		if control || unicode.Is(unicode.Bidi_Control, char) {
			return -1
		}
		return char
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// oneLine is the whole text with every run of white space made one space.
func oneLine(text string) string {
	return strings.Join(strings.Fields(clean(text)), " ")
}

// firstLine is the first line that says something.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(clean(text)), "\n")
	return oneLine(line)
}

func indent(text string) string {
	lines := strings.Split(strings.TrimSpace(clean(text)), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight("    "+line, " \t")
	}
	return strings.Join(lines, "\n")
}

// short is a duration without digits that no one reads.
func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}
