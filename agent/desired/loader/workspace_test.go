package loader

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
)

func TestPrepare(t *testing.T) {
	workspace := t.TempDir()
	for range 2 { // a second time, because a workspace may already exist
		if err := Prepare(workspace); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"helm", "kustomize"} {
		if target, err := os.Readlink(filepath.Join(workspace, "bin", name)); err != nil || target != self {
			t.Errorf("%s is a link to %s: %v", name, target, err)
		}
	}
	for _, plugin := range []string{"diff", "secrets"} {
		if content, err := os.ReadFile(filepath.Join(workspace, "plugins", plugin, "plugin.yaml")); !strings.HasPrefix(string(content), "name: "+plugin+"\nversion: ") {
			t.Errorf("got %q, %v", content, err)
		}
	}
}

// TestEnvironment checks that all directories are in the workspace and exist.
func TestEnvironment(t *testing.T) {
	workspace := t.TempDir()
	if err := Prepare(workspace); err != nil {
		t.Fatal(err)
	}
	for name, value := range Environment(workspace) {
		if name == "HELM_X_HELM3" {
			continue
		}
		if value != workspace && !strings.HasPrefix(value, workspace+"/") {
			t.Errorf("%s is %s, outside of the workspace", name, value)
		}
		if name == "HELM_REPOSITORY_CONFIG" {
			value = filepath.Dir(value)
		}
		if info, err := os.Stat(value); err != nil || !info.IsDir() {
			t.Errorf("%s is %s, which is no directory: %v", name, value, err)
		}
	}
}

func TestChildEnvironment(t *testing.T) {
	want := map[string]string{
		"HELM_NAMESPACE": "shop", "HELM_REPOSITORY_CACHE": "/charts", "HELMFILE_AGENT_ROOTS": "/checkout:/workspace:/charts:/etc/ssl",
		"HTTP_PROXY": "http://127.0.0.1:3128", "HTTPS_PROXY": "http://127.0.0.1:3128", "NO_PROXY": "",
	}
	for name := range want {
		t.Setenv(name, "from the agent") // this restores it
	}
	if err := setChildEnvironment(protocol.Input{
		Dir: "/checkout", Workspace: "/workspace", Charts: "/charts", Readable: []string{"/etc/ssl"}, Namespace: "shop", Proxy: 3128, Deadline: time.Now(),
	}); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name := range want {
		got[name] = os.Getenv(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type failingTransport struct{}

func (failingTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, io.ErrUnexpectedEOF
}

// TestErrorResponder checks that helmfile gets a response also if a request fails. Without one it would panic.
func TestErrorResponder(t *testing.T) {
	client := http.Client{Transport: errorResponder{failingTransport{}}}
	response, err := client.Head("https://charts.example/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadGateway || !strings.Contains(response.Status, io.ErrUnexpectedEOF.Error()) || response.Request == nil {
		t.Errorf("got %+v", response)
	}
}
