package config

import (
	"strings"
	"testing"
)

// TestTheParsersWords fails when yaml.v3 changes the words of its errors, or the line that it names: the agent corrects the line, and
// hides what may be a password. docs/error-texts.md lists the words.
func TestTheParsersWords(t *testing.T) {
	for sentence, is := range map[string]struct{ file, says string }{
		"the scanner names the line":              {"ref: main\n path: x\n", "config.yaml:2: is not YAML: mapping values are not allowed in this context"},
		"the scanner does not name the last line": {"ref: 'main\n", "config.yaml:2: is not YAML: found unexpected end of stream"},
		"a list does not end":                     {"ref: main\npath: [a\ninstance: b\n", "config.yaml:2: is not YAML: did not find expected ',' or ']'"},
		"a mapping does not end":                  {"ref: main\npath: {a: b\ninstance: b\n", "config.yaml:2: is not YAML: did not find expected ',' or '}'"},
		"a key is missing":                        {"ref: main\n- a\n", "config.yaml:2: is not YAML: did not find expected key"},
		"an anchor is missing":                    {"gitPassword: *hunter2\n", "config.yaml: is not YAML: a value that begins with * refers to an anchor that does not exist"},
	} {
		t.Run(sentence, func(t *testing.T) {
			_, err := input{args: []string{"--repo", repo}, file: is.file}.load(t)
			if err == nil || !strings.Contains(err.Error(), is.says) {
				t.Errorf("got %v, want %s", err, is.says)
			}
		})
	}
}
