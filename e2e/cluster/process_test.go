package cluster

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestStopKillsAProcessThatIgnoresTheRequest(t *testing.T) {
	p, err := startProcess(t.TempDir(), "stubborn", os.Getenv("PATH"), "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done")
	if err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(p.tail(), "ready") {
		time.Sleep(pollInterval)
	}
	if err := p.stop(50 * time.Millisecond); err != nil {
		t.Error(err)
	}
	if alive(p.cmd.Process.Pid) {
		t.Error("the process is still alive")
	}
}

// alive reports whether a process runs. A zombie does not count, because in some containers no process reaps orphans. It works only on
// Linux.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	state := stat[bytes.LastIndexByte(stat, ')')+1:]
	return !bytes.HasPrefix(state, []byte(" Z")) && !bytes.HasPrefix(state, []byte(" X"))
}
