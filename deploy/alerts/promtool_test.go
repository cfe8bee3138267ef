package alerts

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// promtoolBinary is what `make bin/promtool` builds, or what this variable names.
const promtoolVariable, promtoolBinary = "HELMFILE_AGENT_PROMTOOL", "../../bin/promtool"

// promtool runs it and fails the test, with all it said, if it does not agree.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	binary := os.Getenv(promtoolVariable)
	if binary == "" {
		binary = promtoolBinary
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("find promtool (build it with `make bin/promtool`, or name it in %s): %v", promtoolVariable, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if said, err := exec.CommandContext(ctx, binary, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", args[0]+" "+args[1], err, said)
	}
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
