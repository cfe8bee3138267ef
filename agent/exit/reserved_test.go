package exit

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReservedCodesSayThatNothingReturnsThem: the table says of each code that no package returns, and of no other, that nothing returns it.
func TestReservedCodesSayThatNothingReturnsThem(t *testing.T) {
	const nothing = "nothing returns it yet"
	used := usedNames(t)
	for _, row := range Table {
		reserved := strings.Contains(row.Meaning, nothing)
		if returned := used[goName[row.Code]]; returned == reserved {
			t.Errorf("%d %s: a package returns it: %t, but its meaning is %q", row.Code, row.Name, returned, row.Meaning)
		}
	}
}

var goName = map[Code]string{
	Converged: "Converged", Unexpected: "Unexpected", ConfigInvalid: "ConfigInvalid", SourceUnreachable: "SourceUnreachable",
	SourceRefused: "SourceRefused", NotTrusted: "NotTrusted", DesiredInvalid: "DesiredInvalid", SecretsUnreadable: "SecretsUnreadable",
	ClusterUnreached: "ClusterUnreached", Forbidden: "Forbidden", ReleasesFailed: "ReleasesFailed", PruneRefused: "PruneRefused",
	Locked: "Locked", Deadline: "Deadline", Terminated: "Terminated",
}

var use = regexp.MustCompile(`exit\.([A-Z]\w+)`)

// usedNames are the names of this package that the other packages of the agent use.
func usedNames(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	for _, root := range []string{"..", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			for _, match := range use.FindAllStringSubmatch(string(content), -1) {
				used[match[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return used
}
