package settings

import (
	"strings"
	"testing"
)

// testTable has a setting of each kind.
var testTable = Table{
	{Name: "config", Kind: Text, NotInFile: true},
	{Name: "repo", Kind: Text},
	{Name: "ref", Kind: Text},
	{Name: "timeout", Kind: Duration},
	{Name: "concurrency", Kind: Number},
	{Name: "selector", Kind: List},
	{Name: "yes", Kind: Toggle},
	{Name: "gitPassword", Kind: Text, Secret: true},
}

// FuzzPasswordInFile checks that no message about a file shows a password in it, also if the password makes the file invalid.
func FuzzPasswordInFile(f *testing.F) {
	for _, password := range []string{"hunter2", "*hunter2", "[hunter2]", "{hunter2: x}", `"hunter2`, "!!int hunter2", "&hunter2 x", "hunter2: x", "|hunter2", "%hunter2", "- hunter2", "\thunter2"} {
		f.Add(password)
	}
	f.Fuzz(func(t *testing.T, password string) {
		if strings.ContainsAny(password, "\n\r\u0085\u2028\u2029") || len(password) < 6 {
			return // text after a line break is another setting, and short texts occur in every message
		}
		_, problems := testTable.parseFile("agent.yaml", []byte("gitPassword: "+password+"\nref: main\n"))
		if err := problems.Err(); err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("the message shows the password: %v", err)
		}
	})
}

// FuzzFile checks that no file makes the reader panic, and that a setting that is not a list has one value.
func FuzzFile(f *testing.F) {
	for _, content := range []string{"", "repo: https://git.example.org/x\n", "a: *b\n", "[", "---\n---\n", "selector:\n  - app=web\n", "timeout: {}\n", "<<: {repo: x}\n", "a: &a [*a]\n"} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		entries, _ := testTable.parseFile("agent.yaml", content)
		for _, e := range entries {
			if len(e.Values) != 1 && e.Kind != List {
				t.Errorf("%s has %d values", e.Name, len(e.Values))
			}
		}
	})
}
