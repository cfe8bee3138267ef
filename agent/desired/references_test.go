package desired

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

const oneRelease = "releases:\n- name: web\n  chart: ../web\n  values:\n  - x: ref+file://%s#/a\n"

// nested are the two ways to a state file that helmfile reads with another working directory.
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

// TestReferencesAreRelativeToTheirStateFile: helmfile reads a nested state file with its directory as the working directory.
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

// TestReferencesOutsideAreNotRead: without the kernel's help too.
func TestReferencesOutsideAreNotRead(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	check(t, os.WriteFile(outside, []byte("no map: ["), 0o600)) // an error of YAML would prove that it was read
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

// TestReferencesHaveKnownParameters: vals makes a provider of its own for others, which checks no path.
func TestReferencesHaveKnownParameters(t *testing.T) {
	_, err := load(t, request(t, withReference("apps/helmfile.yaml", "helmfiles:\n- path: apps/helmfile.yaml\n", "../common.yaml?x=y")))
	if exit.Of(err) != exit.DesiredInvalid || !strings.Contains(err.Error(), "not supported: only encode=base64") {
		t.Errorf("got %v", err)
	}
}
