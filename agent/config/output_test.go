package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestOutputOfInvalidConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	write(t, file, "output: json\nunknown: [\n")
	good := filepath.Join(t.TempDir(), "config.yaml")
	write(t, good, "output: json\nunknown: key\n")
	for name, test := range map[string]struct {
		args string
		env  []string
		want string
	}{
		"nothing":                      {"run", nil, "text"},
		"a flag":                       {"run --output=json", nil, "json"},
		"a flag in two words":          {"run --output json", nil, "json"},
		"after an unknown flag":        {"run --bogus --output json", nil, "json"},
		"after an unknown flag's word": {"run --bogus word --output json", nil, "json"},
		"before a flag without value":  {"run --output json --repo", nil, "json"},
		"an unknown command":           {"rnu --output json", nil, "json"},
		"a variable":                   {"run --bogus", []string{"HELMFILE_AGENT_OUTPUT=json"}, "json"},
		"a flag against a variable":    {"run --output text", []string{"HELMFILE_AGENT_OUTPUT=json"}, "text"},
		"an unknown format":            {"run --output yaml", nil, "text"},
		"a file with an unknown key":   {"run --config " + good, nil, "json"},
		"a file that is not YAML":      {"run --config " + file, nil, "text"},
		"a file that does not exist":   {"run --config nowhere.yaml", nil, "text"},
	} {
		t.Run(name, func(t *testing.T) {
			args := strings.Fields(test.args)
			if got := Output(args[0], args[1:], test.env); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
