package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

const parentVariable = "CLUSTER_TEST_PARENT"

// The test binary runs itself as the parent that the test kills.
func TestComponentDiesWithItsParent(t *testing.T) {
	if dir := os.Getenv(parentVariable); dir != "" {
		beParent(dir)
	}
	parent := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	parent.Env = append(os.Environ(), parentVariable+"="+t.TempDir())
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	if _, err := fmt.Fscan(stdout, &child); err != nil {
		t.Fatal(err)
	}
	if !alive(child) {
		t.Fatal("the component does not run")
	}
	_ = parent.Process.Kill()
	_ = parent.Wait() // the error is that it was killed
	for deadline := time.Now().Add(10 * time.Second); alive(child); time.Sleep(pollInterval) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d outlived its parent", child)
		}
	}
}

// beParent starts a component, prints its process id, and waits until it is killed.
func beParent(dir string) {
	p, err := startProcess(dir, "sleep", os.Getenv("PATH"), "sleep", "60")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(p.cmd.Process.Pid)
	time.Sleep(time.Minute)
}
