package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// removeControls removes characters that can control a terminal. Charts, commits and errors come from other people.
func removeControls(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(char rune) rune {
		control := unicode.IsControl(char) && char != '\n' && char != '\t'
		if control || unicode.Is(unicode.Bidi_Control, char) {
			return -1
		}
		return char
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// escapedRune matches a backslash or a character above U+FFFF, as the YAML library writes them.
var escapedRune = regexp.MustCompile(`\\(\\|U[0-9A-F]{8})`)

// escapeControls escapes characters that can control a terminal. It does not remove them, because they may be the difference. It
// unescapes characters such as emoji, which the YAML library escapes.
func escapeControls(line string) string {
	if strings.Contains(line, `"`) { // the library escapes only between double quotes
		line = escapedRune.ReplaceAllStringFunc(line, unescapeRune)
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

func unescapeRune(character string) string {
	code, err := strconv.ParseUint(strings.TrimLeft(character, `\U`), 16, 32)
	if err != nil || !unicode.IsPrint(rune(code)) {
		return character
	}
	return string(rune(code))
}

// oneLine replaces every sequence of white space by one space.
func oneLine(text string) string {
	return strings.Join(strings.Fields(removeControls(text)), " ")
}

func indent(text string) string {
	lines := strings.Split(strings.TrimSpace(removeControls(text)), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight("    "+line, " \t")
	}
	return strings.Join(lines, "\n")
}

// shortDuration rounds a duration: to seconds if it is at least 10 s, to tenths if it is at least 1 s, otherwise to milliseconds.
func shortDuration(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}
