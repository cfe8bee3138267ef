package config

import (
	"fmt"
	"strings"
)

// Reference is the table of all keys in Markdown, for the documentation.
func Reference() string {
	var page strings.Builder
	page.WriteString("| Key in the file | Flag | Environment | Default | Meaning |\n|---|---|---|---|---|\n")
	for _, k := range keys {
		fmt.Fprintf(&page, "| %s | %s | `%s` | %s | %s |\n", k.fileCell(), k.flagCell(), k.variable(), k.defaultCell(), k.meaning())
	}
	return page.String()
}

func (k key) fileCell() string {
	if k.noFile {
		return "–"
	}
	return "`" + k.name + "`"
}

func (k key) flagCell() string {
	if k.secret {
		return "– (`ps` would show it)"
	}
	return "`" + k.flag() + "`"
}

func (k key) defaultCell() string {
	switch {
	case k.fallback != "":
		return "`" + k.fallback + "`"
	case k.shown != "":
		return k.shown
	default:
		return "–"
	}
}

func (k key) meaning() string {
	meaning := k.usage
	switch {
	case k.kind == list && k.comma:
		meaning += "; a list, separated by commas or line breaks in the environment"
	case k.kind == list:
		meaning += "; a list, one per line in the environment"
	}
	commands := "`" + strings.Join(k.commands, "`, `") + "`"
	switch {
	case k.asks:
		meaning += "; only for " + commands + ", the other commands refuse it"
	case len(k.commands) > 0:
		meaning += "; used by " + commands
	}
	return meaning
}
