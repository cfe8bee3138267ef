package unsupported

import (
	"fmt"
	"strings"
	"testing"
)

func TestCommandsInFiles(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		want    string // the beginning of the error, after the name of the file; empty if the file is allowed
	}{
		"exec":                         {"a: 1\nb: {{ exec \"date\" (list) }}\n", "2: the template function exec"},
		"envExec in a pipeline":        {"a: {{ envExec (dict) \"date\" list | trim }}\n", "1: the template function envExec"},
		"exec in a condition":          {"a: {{ if eq (exec \"x\" (list)) \"y\" }}b{{ end }}\n", "1: the template function exec"},
		"exec in an else":              {"a: {{ if .a }}b{{ else }}\n{{ exec \"x\" list }}{{ end }}\n", "2: the template function exec"},
		"exec in with":                 {"{{ with .a }}\n{{ . }}{{ else }}{{ exec \"x\" list }}{{ end }}\n", "2: the template function exec"},
		"exec in a variable":           {"{{ range $i := list 1 }}\n{{ $x := exec \"a\" list }}{{end}}", "2: the template function exec"},
		"exec for a template":          {"{{ define \"a\" }}{{ end }}\n{{ template \"a\" exec \"x\" list }}", "2: the template function exec"},
		"a field of what exec returns": {"{{ (exec \"x\" list).field }}", "1: the template function exec"},
		"exec in a named template":     {"{{ define \"a\" }}{{ exec \"x\" list }}{{ end }}", "1: the template function exec"},
		"the first of two calls":       {"\n{{ define \"z\" }}{{ exec \"x\" list }}{{ end }}\n{{ define \"a\" }}{{ envExec \"x\" list }}{{ end }}", "2: the template function exec"},
		"exec in a YAML comment, which helmfile renders": {"# {{ exec \"a\" list }}\n", "1: the template function exec"},
		"exec in a part of a file that is no template as a whole": {
			"{{ define \"a\" }}1{{ end }}\n---\n{{ define \"a\" }}2{{ end }}{{ exec \"x\" list }}\n", "3: the template function exec"},
		"the same with line breaks of Windows": {
			"{{ define \"a\" }}1{{ end }}\r\n---\r\n{{ define \"a\" }}2{{ end }}{{ exec \"x\" list }}\r\n", "3: the template function exec"},
		"ref+exec":                   {"a: ref+exec:///bin/date\n", "1: ref+exec://"},
		"secretref+exec":             {"a: 1\nb: [secretref+EXEC://date]\n", "2: ref+exec://"},
		"ref+exec in a comment":      {"# never use ref+exec://\na: 1\n", ""},
		"words outside of actions":   {"command: [exec, foo]\nnote: exec \"date\" and envExec\n", ""},
		"fields with these names":    {"a: {{ .Values.exec }}\nb: {{ \"exec\" }}\nc: {{ .exec.envExec }}", ""},
		"no template":                {"a: {{ broken\nb: exec\n", ""},
		"exec in a template comment": {"{{ if .a }}1{{ end }}{{ template \"x\" }}{{/* exec \"a\" */}}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkCommands("file.yaml", test.content)
			if test.want == "" && err != nil {
				t.Errorf("got %v", err)
			}
			if want := "file.yaml:" + test.want + " is not supported: "; test.want != "" && !strings.HasPrefix(fmt.Sprint(err), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}
