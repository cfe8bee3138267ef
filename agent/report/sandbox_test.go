package report

import (
	"strings"
	"testing"
)

func TestMissingSandbox(t *testing.T) {
	for confined, want := range map[string]bool{
		"": false,
		"files and programs, TCP, signals and abstract sockets (Landlock version 7)": false,
		"nothing: sandbox is off":                         false,
		"nothing: only Linux has Landlock":                true,
		"nothing: the kernel has no Landlock":             true,
		"partly: files and programs (Landlock version 1)": true,
	} {
		var text strings.Builder
		if err := (Report{Confined: confined}).WriteText(&text, Style{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(text.String(), "sandbox protects "+confined+"; use Linux 6.12"); got != want {
			t.Errorf("%q: got %q", confined, text.String())
		}
	}
}
