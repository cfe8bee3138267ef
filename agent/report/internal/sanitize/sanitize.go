package sanitize

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// RemoveControls removes characters that can control a terminal. Charts, commits and errors come from other people.
func RemoveControls(text string) string {
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

// EscapeControls escapes characters that can control a terminal. It does not remove them, because they may be the difference. It
// unescapes characters such as emoji, which the YAML library escapes.
func EscapeControls(line string) string {
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

// OneLine replaces every sequence of white space by one space.
func OneLine(text string) string {
	return strings.Join(strings.Fields(RemoveControls(text)), " ")
}

// Indent indents all lines, and removes empty space around the text.
func Indent(text string) string {
	lines := strings.Split(strings.TrimSpace(RemoveControls(text)), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight("    "+line, " \t")
	}
	return strings.Join(lines, "\n")
}

// Cut shortens the text to at most limit bytes, and never in the middle of a character.
func Cut(text string, limit int) string {
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
