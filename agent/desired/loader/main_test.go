package loader

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// keepStdout restores os.Stdout, which Main replaces.
func keepStdout(t *testing.T) {
	stdout := os.Stdout
	t.Cleanup(func() { os.Stdout = stdout })
}

func TestMainWithoutInput(t *testing.T) {
	keepStdout(t)
	var wire bytes.Buffer
	if code := Main(strings.NewReader(""), &wire); code != 0 || wire.Len() > 0 {
		t.Errorf("got %d and %q", code, wire.Bytes())
	}
}

func TestMainWithInvalidInput(t *testing.T) {
	var otherVersion bytes.Buffer
	if err := child.NewWriter(&otherVersion, child.Trusted).Send(protocol.Input{Version: protocol.Version + 1}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		stdin io.Reader
		want  string
	}{
		"another version of the protocol": {&otherVersion, "the agent uses version 2 of the protocol, and the loader uses version 1"},
		"half a message":                  {strings.NewReader("\x00\x00\x00\x10half"), "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			keepStdout(t)
			var wire bytes.Buffer
			code := Main(test.stdin, &wire)
			messages := readMessages(t, &wire)
			if code != 0 || len(messages) != 1 || messages[0].Answer == nil {
				t.Fatalf("got %d and %+v", code, messages)
			}
			if err := messages[0].Answer.Err(); err == nil || !strings.Contains(err.Error(), test.want) || exit.Of(err) != exit.Unexpected {
				t.Errorf("got %v with %d", err, exit.Of(err))
			}
		})
	}
}

func TestRules(t *testing.T) {
	input := protocol.Input{Dir: "/checkout", Workspace: "/workspace", Charts: "/charts", Readable: []string{"/etc/ssl"}, Proxy: 3128, Ports: []int{5000}, Memory: 7, CPU: 8}
	got := rules(input)
	for _, path := range got.Write {
		if path != "/checkout" && !strings.HasPrefix(path, "/workspace/") {
			t.Errorf("the loader may write to %s", path)
		}
		if path == "/workspace/bin" || path == "/workspace/plugins" {
			t.Errorf("the loader may replace the programs in %s", path)
		}
	}
	if self, err := os.Executable(); err != nil || got.Executable != self {
		t.Errorf("the loader may execute %s, not %s: %v", got.Executable, self, err)
	}
	if len(got.Ports) != 2 || got.Ports[0] != 3128 || got.Ports[1] != 5000 || got.Memory != 7 || got.CPU != 8 {
		t.Errorf("got %+v", got)
	}
}
