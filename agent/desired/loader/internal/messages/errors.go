package messages

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/parts"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// Translator rewrites helmfile's messages for users: with paths relative to the checkout, with the lines of the file, and with advice that
// helmfile does not give.
type Translator struct {
	Dirs      []string                 // directories that exist for this run only
	CheckPath func(path string) error  // refuses a path outside of the repository
	LastRead  func(name string) string // the content of the file with this base name that helmfile read last
}

// Explain returns the error that ends the load. unreadable says which secrets cannot be decrypted. Errors carry exit.DesiredInvalid or
// exit.SecretsUnreadable, unless the end of the context is the cause.
func (t Translator) Explain(err, unreadable error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text := strings.TrimSpace(t.Translate(err.Error()))
	if unreadable != nil {
		return exit.With(exit.SecretsUnreadable, fmt.Errorf("load helmfile: %s", withReason(text, t.Translate(unreadable.Error()))))
	}
	return exit.With(exit.DesiredInvalid, fmt.Errorf("load helmfile: %s", text))
}

// withReason adds why a secret cannot be decrypted, unless the text already says so.
func withReason(text, reason string) string {
	if strings.Contains(text, secrets.DecryptErrorPrefix) || strings.Contains(text, reason) {
		return text
	}
	return text + ": " + reason
}

// ShortenPaths removes the directories that exist for this run only.
func (t Translator) ShortenPaths(text string) string {
	for _, dir := range t.Dirs {
		text = strings.ReplaceAll(text, dir+string(filepath.Separator), "")
	}
	return text
}

// Translate returns the text as users should see it.
func (t Translator) Translate(text string) string {
	text = permissionDenied.ReplaceAllStringFunc(text, t.explainDenied)
	text = t.ShortenPaths(text)
	text = t.correctYAMLLines(text)
	text = templateLine.ReplaceAllStringFunc(text, t.correctTemplateLine)
	for _, r := range replacements {
		text = r.pattern.ReplaceAllString(text, r.replacement)
	}
	return text
}

// permissionDenied matches how Go reports that the kernel refused a path.
var permissionDenied = regexp.MustCompile(`(?:open|stat|lstat|readdir|fork/exec) (\S+): permission denied`)

// explainDenied says why the kernel refused a path outside of the repository.
func (t Translator) explainDenied(denied string) string {
	if err := t.CheckPath(permissionDenied.FindStringSubmatch(denied)[1]); err != nil {
		return err.Error()
	}
	return denied
}

// replacements are words of helmfile and its libraries, and what users see instead.
var replacements = []struct {
	pattern     *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(`It must be named (.*), otherwise specified with the --file flag or HELMFILE_FILE_PATH environment variable`),
		"Name it $1, or set path to its path"},
	// A child that patches a chart failed: show only its output.
	{regexp.MustCompile(`(?s)exit status \d+\s+COMMAND:\n.*?\n\nOUTPUT:\n\s+(Error: )?`), ""},
	{regexp.MustCompile(`in (?:\./)?(\S+): failed to read \S+: `), "in $1: "},
	{regexp.MustCompile(`reading document at index \d+(\. Started seeing [^:]*)?: (yaml: )?(unmarshal errors:\s+)?`), ""},
	{regexp.MustCompile(`(field \S+) not found in type \S+`), "$1 is not known"},
	{regexp.MustCompile(`json: cannot unmarshal array into Go value of type (chartutil\.Values|map\S+ \S+)`), "it contains a list, but must contain keys with values"},
	{regexp.MustCompile(`json: cannot unmarshal string into Go value of type (chartutil\.Values|map\S+ \S+)`), "it contains a text, but must contain keys with values"},
	{regexp.MustCompile(`error (unmarshaling JSON: while decoding JSON|converting YAML to JSON): `), ""},
	{regexp.MustCompile(`(get: )?git must be available and on the PATH`), "it is in another git repository, and the agent's container has no git: " +
		"use an https archive, a chart in an OCI registry or a chart repository, or copy it into this repository"},
	{regexp.MustCompile(`because of template: stringTemplate:(\d+):`), "line $1:"},
	{regexp.MustCompile(`executing "stringTemplate" at `), "at "},
}

var (
	// templateLine matches where helmfile found an error in a template.
	templateLine = regexp.MustCompile(`error during (\S+)\.part\.(\d+) parsing: template: stringTemplate:(\d+):`)
	// yamlLine matches where helmfile found a field or a value that a state file cannot have.
	yamlLine  = regexp.MustCompile("line (\\d+): (field (\\S+) not found|cannot unmarshal \\S+ `([^`]+)`)")
	stateFile = regexp.MustCompile(`failed to read (\S+): `)
)

// correctTemplateLine replaces the line of the part by the line of the file.
func (t Translator) correctTemplateLine(found string) string {
	m := templateLine.FindStringSubmatch(found)
	part, _ := strconv.Atoi(m[2]) // digits only
	line, _ := strconv.Atoi(m[3])
	return fmt.Sprintf("render the template %s: line %d:", m[1], line+parts.LinesBefore(t.partsOf(m[1]), part))
}

// correctYAMLLines does the same where helmfile does not name the part: it is the first one with the field or value in that line.
func (t Translator) correctYAMLLines(text string) string {
	file := stateFile.FindStringSubmatch(text)
	if len(file) == 0 || strings.HasSuffix(file[1], ".gotmpl") {
		return text // a rendered template has other lines than its file
	}
	split := t.partsOf(file[1])
	return yamlLine.ReplaceAllStringFunc(text, func(found string) string {
		m := yamlLine.FindStringSubmatch(found)
		line, _ := strconv.Atoi(m[1]) // digits only
		word := m[3] + m[4]
		for i, part := range split {
			if lines := strings.Split(part, "\n"); line > 0 && line <= len(lines) && strings.Contains(lines[line-1], word) {
				return fmt.Sprintf("line %d: %s", line+parts.LinesBefore(split, i), m[2])
			}
		}
		return found
	})
}

func (t Translator) partsOf(file string) []string {
	return parts.Split(t.LastRead(filepath.Base(file)))
}
