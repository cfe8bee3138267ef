package exit

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const begin, end = "<!-- exit codes -->", "<!-- /exit codes -->"

func TestREADMERepeatsTheTable(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatalf("%v\n\nit must contain:\n\n%s\n%s\n%s", err, begin, markdown(), end)
	}
	_, rest, begins := strings.Cut(string(readme), begin)
	section, _, ends := strings.Cut(rest, end)
	if !begins || !ends || strings.TrimSpace(section) != strings.TrimSpace(markdown()) {
		t.Errorf("README.md does not have exit.Table; it must contain:\n\n%s\n%s\n%s", begin, markdown(), end)
	}
}

// markdown is [Table] as README.md shows it.
func markdown() string {
	var b strings.Builder
	b.WriteString("| code | name | meaning | can a retry help? |\n|---|---|---|---|\n")
	for _, row := range Table {
		fmt.Fprintf(&b, "| %d | `%s` | %s | %s |\n", row.Code, row.Name, row.Meaning, row.Retry)
	}
	return b.String()
}
