package desired

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

const oneRelease = "releases:\n- name: web\n  chart: ../web\n  values:\n  - x: ref+file://%s#/a\n"

// nested are the two kinds of state files that helmfile reads with another working directory.
var nested = map[string]struct{ top, file string }{
	"a nested helmfile": {"helmfiles:\n- path: apps/helmfile.yaml\n", "apps/helmfile.yaml"},
	"helmfile.d":        {"", "helmfile.d/web.yaml"},
}

func withReference(file, top, reference string) map[string]string {
	files := map[string]string{
		file:             fmt.Sprintf(oneRelease, reference),
		"common.yaml":    "a: hello\n",
		"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
	}
	if top != "" {
		files["helmfile.yaml"] = top
	}
	return files
}

// TestReferencesAreRelativeToTheirStateFile checks that a path is relative to the state file, also if that is nested.
func TestReferencesAreRelativeToTheirStateFile(t *testing.T) {
	for name, test := range nested {
		t.Run(name, func(t *testing.T) {
			set, err := load(t, request(t, withReference(test.file, test.top, "../common.yaml")))
			if err != nil || len(set.Releases) != 1 || fmt.Sprint(set.Releases[0].Values) != "map[x:hello]" {
				t.Fatalf("got %+v, %v", set.Releases, err)
			}
		})
	}
}

// TestReferencesOutsideAreNotRead checks this without the sandbox.
func TestReferencesOutsideAreNotRead(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	check(t, os.WriteFile(outside, []byte("no map: ["), 0o600)) // a YAML error would prove that vals read it
	for name, test := range nested {
		t.Run(name, func(t *testing.T) {
			for _, parameters := range []string{"", "?encode=raw"} {
				req := request(t, withReference(test.file, test.top, outside+parameters))
				req.Sandbox = sandbox.Off
				_, err := load(t, req)
				if exit.Of(err) != exit.DesiredInvalid || !strings.Contains(err.Error(), "outside of the repository") || strings.Contains(err.Error(), "yaml: line") {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

// TestReferencesHaveKnownParameters checks that other parameters are refused: vals makes another provider for them, which does not check paths.
func TestReferencesHaveKnownParameters(t *testing.T) {
	_, err := load(t, request(t, withReference("apps/helmfile.yaml", "helmfiles:\n- path: apps/helmfile.yaml\n", "../common.yaml?x=y")))
	if exit.Of(err) != exit.DesiredInvalid || !strings.Contains(err.Error(), "not supported: only encode=base64") {
		t.Errorf("got %v", err)
	}
}

// TestStoresReadNoFilesOutside checks this without the sandbox. vals would send the content of the file to the server.
func TestStoresReadNoFilesOutside(t *testing.T) {
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		sent.Add(1)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	outside := filepath.Join(t.TempDir(), "token")
	check(t, os.WriteFile(outside, []byte("canary-token"), 0o600))
	for name, test := range map[string]struct{ parameters, want string }{
		"a token":             {"token_file=" + outside, "outside of the repository"},
		"a password":          {"auth_method=userpass&username=a&password_file=" + outside, "outside of the repository"},
		"a relative path":     {"token_file=../../../../../../../../../.." + outside, "outside of the repository"},
		"an endless file":     {"token_file=/dev/zero", "outside of the repository"},
		"the service account": {"auth_method=kubernetes", "outside of the repository"},
	} {
		t.Run(name, func(t *testing.T) {
			state := "releases:\n- name: web\n  chart: web\n  values:\n  - x: ref+vault://kv/x?address=" + server.URL + "&" + test.parameters + "#/key\n"
			req := request(t, map[string]string{"helmfile.yaml": state, "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"})
			req.Sandbox = sandbox.Off
			_, err := load(t, req)
			if err == nil || !strings.Contains(err.Error(), test.want) || sent.Load() > 0 {
				t.Errorf("got %v, and %d requests were sent", err, sent.Load())
			}
		})
	}
}

// TestStoresReadFilesOfTheRepository checks that a path is relative to the state file.
func TestStoresReadFilesOfTheRepository(t *testing.T) {
	var token atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token.Store(r.Header.Get("X-Vault-Token"))
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	state := "releases:\n- name: web\n  chart: ../web\n  values:\n  - x: ref+vault://kv/x?address=" + server.URL + "&token_file=../token#/key\n"
	req := request(t, map[string]string{
		"helmfile.yaml": "helmfiles:\n- path: apps/helmfile.yaml\n", "apps/helmfile.yaml": state, "token": "repository-token",
		"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
	})
	req.Sandbox = sandbox.Off
	if _, err := load(t, req); token.Load() != "repository-token" {
		t.Errorf("got %v, and the server got %v", err, token.Load())
	}
}
