package config

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/configuration.md")

// TestConfigurationIsDocumented checks that docs/configuration.md has the table of settings of the code.
func TestConfigurationIsDocumented(t *testing.T) {
	const file, begin, end = "../../docs/configuration.md", "<!-- settings -->\n", "<!-- /settings -->\n"
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, opened := strings.Cut(string(content), begin)
	_, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatalf("%s has no settings between %q and %q", file, begin, end)
	}
	want := before + begin + strings.TrimSpace(Reference()) + "\n" + end + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(content) != want {
		t.Errorf("%s is out of date; run: go test ./agent/config -run %s -update", file, t.Name())
	}
}
