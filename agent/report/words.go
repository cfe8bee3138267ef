package report

import (
	"fmt"
	"regexp"
	"strconv"
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

// astral is how the YAML library writes a character beyond the first 65,536, or a backslash.
var astral = regexp.MustCompile(`\\(\\|U[0-9A-F]{8})`)

// visible is a line of a diff as it is, but for what could play tricks on a terminal: that is shown by its number, because
// it may be what differs. Characters such as emoji, which the YAML library escapes, are readable again.
func visible(line string) string {
	if strings.Contains(line, `"`) { // the library escapes between double quotes only
		line = astral.ReplaceAllStringFunc(line, unescaped)
	}
	var text strings.Builder
	for _, char := range strings.ToValidUTF8(line, "\uFFFD") {
		if unicode.IsControl(char) && char != '\t' || unicode.Is(unicode.Bidi_Control, char) {
			fmt.Fprintf(&text, `\u%04x`, char)
			continue
		}
		text.WriteRune(char)
	}
	return text.String()
}

func unescaped(character string) string {
	code, err := strconv.ParseUint(strings.TrimLeft(character, `\U`), 16, 32)
	if err != nil || !unicode.IsPrint(rune(code)) {
		return character
	}
	return string(rune(code))
}

// oneLine is the whole text with every run of white space made one space.
func oneLine(text string) string {
	return strings.Join(strings.Fields(clean(text)), " ")
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
