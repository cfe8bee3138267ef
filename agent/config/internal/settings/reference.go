package settings

import (
	"fmt"
	"strings"
)

// Reference is the table of all settings in Markdown, for the documentation.
func (t Table) Reference() string {
	var page strings.Builder
	page.WriteString("| Key in the file | Flag | Environment | Default | Meaning |\n|---|---|---|---|---|\n")
	for _, s := range t {
		fmt.Fprintf(&page, "| %s | %s | `%s` | %s | %s |\n", s.keyCell(), s.flagCell(), s.Variable(), s.defaultCell(), s.meaning())
	}
	return page.String()
}

func (s Setting) keyCell() string {
	if s.NotInFile {
		return "–"
	}
	return "`" + s.Name + "`"
}

func (s Setting) flagCell() string {
	if s.Secret {
		return "– (`ps` would show it)"
	}
	return "`" + s.Flag() + "`"
}

func (s Setting) defaultCell() string {
	switch {
	case s.Default != "":
		return "`" + s.Default + "`"
	case s.DefaultInWords != "":
		return s.DefaultInWords
	default:
		return "–"
	}
}

func (s Setting) meaning() string {
	meaning := s.Usage
	switch {
	case s.Kind == List && s.CommaSeparated:
		meaning += "; a list, separated by commas or line breaks in the environment"
	case s.Kind == List:
		meaning += "; a list, one item per line in the environment"
	}
	commands := "`" + strings.Join(s.Commands, "`, `") + "`"
	switch {
	case s.OnlyForCommands:
		meaning += "; only for " + commands + ", the other commands refuse it"
	case len(s.Commands) > 0:
		meaning += "; used by " + commands
	}
	return meaning
}
