package alerts

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// promtoolBinary is the binary that `make bin/promtool` builds. The variable can name another one.
const promtoolVariable, promtoolBinary = "HELMFILE_AGENT_PROMTOOL", "../../bin/promtool"

// promtool runs promtool, and fails the test with its output if promtool fails.
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
	if output, err := exec.CommandContext(ctx, binary, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", args[0]+" "+args[1], err, output)
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
