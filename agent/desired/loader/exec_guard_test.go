package loader

import (
	"fmt"
	"testing"
)

func TestCommandsAreFoundWhereTheyWouldRun(t *testing.T) {
	for content, want := range map[string]string{
		"a: 1\nb: {{ exec \"date\" (list) }}\n":                                                  "2 the template function exec",
		"a: {{ envExec (dict) \"date\" list | trim }}\n":                                         "1 the template function envExec",
		"a: {{ if eq (exec \"x\" (list)) \"y\" }}b{{ end }}\n":                                   "1 the template function exec",
		"{{ range $i := list 1 }}\n{{ $x := exec \"a\" list }}{{end}}":                           "2 the template function exec",
		"{{ define \"a\" }}{{ exec \"x\" list }}{{ end }}":                                       "1 the template function exec",
		"# {{ exec \"a\" list }}\n":                                                              "1 the template function exec", // comments are rendered too
		"{{ define \"a\" }}1{{ end }}\n---\n{{ define \"a\" }}2{{ end }}{{ exec \"x\" list }}\n": "3 the template function exec",
		"a: ref+exec:///bin/date\n":                                                              "1 ref+exec://",
		"a: 1\nb: [secretref+EXEC://date]\n":                                                     "2 ref+exec://",
		"# never use ref+exec://\na: 1\n":                                                        "0 ",
		"command: [exec, foo]\nnote: exec \"date\" and envExec\n":                                "0 ",
		"a: {{ .Values.exec }}\nb: {{ \"exec\" }}\nc: {{ .exec.envExec }}":                       "0 ",
		"a: {{ broken\nb: exec\n":                                                                "0 ",
		"{{ if .a }}1{{ end }}{{ template \"x\" }}{{/* exec \"a\" */}}":                          "0 ",
	} {
		line, what, _ := runsCommand(content)
		if got := fmt.Sprint(line, " ", what); got != want {
			t.Errorf("in %q found %q, not %q", content, got, want)
		}
	}
}
