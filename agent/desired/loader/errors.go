package loader

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/helmfile/helmfile/pkg/app"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// explain makes helmfile's error the user's: paths relative to the checkout, lines as the file has them, the right exit
// code, and what to do where helmfile does not say.
func (l *loader) explain(err error) error {
	if cause := l.req.cause(err); cause != nil {
		return cause
	}
	var none *app.NoMatchingHelmfileError
	if errors.As(err, &none) {
		err = l.nothingVisited()
	}
	text := l.plain(err.Error())
	if reason := l.engine.secretsFailed(); reason != nil {
		return exit.With(exit.SecretsUnreadable, fmt.Errorf("load helmfile: %s", withReason(text, l.plain(reason.Error()))))
	}
	return exit.With(exit.DesiredInvalid, fmt.Errorf("load helmfile: %s", strings.TrimSpace(text)))
}

// withReason says once why a secret cannot be read.
func withReason(text, reason string) string {
	if strings.Contains(text, secrets.DecryptErrorPrefix) {
		return strings.TrimSpace(text)
	}
	return text + ": " + reason
}

// cause is err itself when the run's context ended it: that is nobody's mistake in a helmfile.
func (request) cause(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// nothingVisited is why helmfile called for no state file at all.
func (l *loader) nothingVisited() error {
	files := l.topLevel()
	if len(files) == 0 && l.req.Path != "" {
		return fmt.Errorf("no helmfile found: %s has no file whose name ends in .yaml, .yml or .gotmpl", l.req.Path)
	}
	return fmt.Errorf("the environment %q is not defined in any state file: correct the name, or add it under environments", l.req.Environment)
}

// short is a text without the directories that exist for this run only.
func (r request) short(text string) string {
	for _, dir := range []string{r.Dir, r.Workspace} {
		text = strings.ReplaceAll(text, dir+string(filepath.Separator), "")
	}
	return text
}

// wordings are helmfile's where another one helps more.
var wordings = []struct {
	said *regexp.Regexp
	say  string
}{
	{regexp.MustCompile(`It must be named (.*), otherwise specified with the --file flag or HELMFILE_FILE_PATH environment variable`),
		"Name it $1, or say with path where it is"},
	// Of the children that make a chart of a patched one, only what they say matters.
	{regexp.MustCompile(`(?s)exit status \d+\s+COMMAND:\n.*?\n\nOUTPUT:\n\s+(Error: )?`), ""},
	{regexp.MustCompile(`in (?:\./)?(\S+): failed to read \S+: `), "in $1: "},
	{regexp.MustCompile(`reading document at index \d+(\. Started seeing [^:]*)?: (yaml: )?(unmarshal errors:\s+)?`), ""},
	{regexp.MustCompile(`(field \S+) not found in type \S+`), "$1 is not known"},
	{regexp.MustCompile(`json: cannot unmarshal array into Go value of type (chartutil\.Values|map\S+ \S+)`), "it holds a list, but must map keys to values"},
	{regexp.MustCompile(`json: cannot unmarshal string into Go value of type (chartutil\.Values|map\S+ \S+)`), "it holds a text, but must map keys to values"},
	{regexp.MustCompile(`error (unmarshaling JSON: while decoding JSON|converting YAML to JSON): `), ""},
	{regexp.MustCompile(`(get: )?git must be available and on the PATH`), "it is in a git repository of its own, and the agent's container has no git: " +
		"use an https archive, a chart in an OCI registry or a chart repository, or copy it into this repository"},
	{regexp.MustCompile(`because of template: stringTemplate:(\d+):`), "line $1:"},
	{regexp.MustCompile(`executing "stringTemplate" at `), "at "},
}

// denied is how the kernel refuses a path.
var denied = regexp.MustCompile(`(?:open|stat|lstat|readdir|fork/exec) (\S+): permission denied`)

func (l *loader) plain(text string) string {
	text = denied.ReplaceAllStringFunc(text, func(said string) string {
		if err := l.req.roots.Check(denied.FindStringSubmatch(said)[1]); err != nil {
			return err.Error()
		}
		return said
	})
	text = templateLine.ReplaceAllStringFunc(l.yamlInFile(l.req.short(text)), l.inFile)
	for _, w := range wordings {
		text = w.said.ReplaceAllString(text, w.say)
	}
	return text
}

var (
	// templateLine is how helmfile places an error of a template.
	templateLine = regexp.MustCompile(`error during (\S+)\.part\.(\d+) parsing: template: stringTemplate:(\d+):`)
	// yamlLine is how it places a field or a value that a state cannot have.
	yamlLine  = regexp.MustCompile("line (\\d+): (field (\\S+) not found|cannot unmarshal \\S+ `([^`]+)`)")
	stateFile = regexp.MustCompile(`failed to read (\S+): `)
)

// inFile counts the line from the beginning of the file: helmfile reads the parts of a file, which --- separates, one by
// one, and counts the lines of each anew.
func (l *loader) inFile(found string) string {
	m := templateLine.FindStringSubmatch(found)
	part, _ := strconv.Atoi(m[2]) // digits, as is the line
	line, _ := strconv.Atoi(m[3])
	return fmt.Sprintf("render the template %s: line %d:", m[1], line+linesBefore(l.parts(m[1]), part))
}

// yamlInFile does the same where helmfile does not say which part it means: the one with such a word in that line.
func (l *loader) yamlInFile(text string) string {
	file := stateFile.FindStringSubmatch(text)
	if file == nil || strings.HasSuffix(file[1], ".gotmpl") {
		return text // the lines of what a template renders are not those of the file
	}
	parts := l.parts(file[1])
	return yamlLine.ReplaceAllStringFunc(text, func(found string) string {
		m := yamlLine.FindStringSubmatch(found)
		line, _ := strconv.Atoi(m[1]) // digits
		for i, part := range parts {
			if lines := strings.Split(part, "\n"); line <= len(lines) && strings.Contains(lines[line-1], m[3]+m[4]) {
				return fmt.Sprintf("line %d: %s", line+linesBefore(parts, i), m[2])
			}
		}
		return found
	})
}

// parts cuts the file of this name that was read last, as helmfile does.
func (l *loader) parts(file string) []string {
	content, _ := l.files.Load(filepath.Base(file))
	text, _ := content.(string)
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), separator)
}

const separator = "\n---\n"

// linesBefore counts the lines before a part.
func linesBefore(parts []string, part int) int {
	if part == 0 || part > len(parts) {
		return 0
	}
	return strings.Count(strings.Join(parts[:part], separator)+separator, "\n")
}
