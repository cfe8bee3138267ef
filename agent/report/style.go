package report

import (
	"io"
	"strings"

	"golang.org/x/term"
)

// Style says how text is formatted.
type Style struct {
	Color bool
}

// StyleFor returns the style for w and the environment: colour only on a terminal, unless NO_COLOR is set or TERM is dumb. The
// argument w must be the terminal itself, not a writer that wraps it.
func StyleFor(w io.Writer, environ []string) Style {
	file, ok := w.(interface{ Fd() uintptr })
	terminal := ok && term.IsTerminal(int(file.Fd()))
	return Style{Color: terminal && wantsColor(environ)}
}

func wantsColor(environ []string) bool {
	return lookup(environ, "NO_COLOR") == "" && lookup(environ, "TERM") != "dumb"
}

func lookup(environ []string, name string) string {
	for _, entry := range environ {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}

// A color is an ANSI escape sequence.
type color string

const (
	plain color = ""
	red   color = "\x1b[31m"
	green color = "\x1b[32m"
	cyan  color = "\x1b[36m"
	reset       = "\x1b[0m"
)

func (s Style) paint(c color, text string) string {
	if !s.Color || c == plain || text == "" {
		return text
	}
	return string(c) + text + reset
}
