package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestHelmVersion checks that the agent, started as helm, prints the version in go.mod, including the patch level.
func TestHelmVersion(t *testing.T) {
	t.Parallel()
	required := must(os.ReadFile("../go.mod"))(t)
	found := regexp.MustCompile(`(?m)^\s*helm\.sh/helm/v3 (v\S+)`).FindSubmatch(required)
	if found == nil {
		t.Fatal("go.mod does not require Helm")
	}
	agent := exec.CommandContext(t.Context(), filepath.Join(binaries, "helmfile-agent"), "version", "--short")
	agent.Args[0] = "helm"
	output := must(agent.Output())(t)
	if want := string(found[1]); !strings.HasPrefix(string(output), want+"+") {
		t.Errorf("started as helm, the agent prints %q; go.mod has %s", output, want)
	}
}
