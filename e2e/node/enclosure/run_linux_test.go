package enclosure

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// partVariable names the environment variable that tells the test binary that it runs in the enclosure, and what to do there.
const partVariable = "ENCLOSURE_TEST_PART"

func TestMain(m *testing.M) {
	if part := os.Getenv(partVariable); part != "" {
		os.Exit(Run(func(cgroup string) int { return play(part, cgroup) }))
	}
	os.Exit(m.Run())
}

// play creates everything that a node leaves on a machine: an interface, mounts, files, and a control group with an orphaned process.
func play(part, cgroup string) int {
	if part == "exit" {
		return 7
	}
	join := "true"
	for _, hierarchy := range hierarchies() {
		deep := hierarchy + cgroup + "/deep/er"
		join += "; echo $$ > " + deep + "/cgroup.procs" // not every hierarchy accepts every process
		if err := os.MkdirAll(deep, 0o755); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	for _, command := range []string{
		"mkdir -p /run/left /var/lib/left-by-test && mount -t tmpfs left-by-test /run/left",
		"setsid sh -c '" + join + "; exec sleep 1000' >/dev/null 2>&1 &",
	} {
		if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
			fmt.Printf("%s: %v: %s\n", command, err, out)
			return 1
		}
	}
	fmt.Println("ready", cgroup)
	if part == "die" {
		time.Sleep(time.Hour)
	}
	return 0
}

func program(part string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), partVariable+"="+part)
	return cmd
}

func TestExitCodeComesOut(t *testing.T) {
	err := program("exit").Run()
	if exited := new(exec.ExitError); !errors.As(err, &exited) || exited.ExitCode() != 7 {
		t.Errorf("%v, want exit code 7", err)
	}
}

func TestNothingIsLeft(t *testing.T) {
	out, err := program("end").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	leftNothing(t, strings.TrimPrefix(strings.TrimSpace(string(out)), "ready "))
}

// After a crash, control groups without processes remain. The next run removes them.
func TestNothingIsLeftAfterACrash(t *testing.T) {
	cmd := program("die")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })        // has usually already ended
	line, _ := bufio.NewReader(stdout).ReadString('\n') // its output is more useful than the error
	group, ready := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ready {
		t.Fatalf("the program says %q", line)
	}
	within(t, "an orphan joins the groups", func() bool { return len(members(t, group)) > 0 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the error is that it was killed
	within(t, "the processes in the enclosure end", func() bool { return len(members(t, group)) == 0 })
	if err := program("exit").Run(); err == nil || strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("the next run: %v", err)
	}
	leftNothing(t, group)
}

func within(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(removeBound); !is(); time.Sleep(pollInterval) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, removeBound)
		}
	}
}

func members(t *testing.T, group string) []string {
	t.Helper()
	var pids []string
	for _, hierarchy := range hierarchies() {
		content, err := os.ReadFile(filepath.Join(hierarchy+group, "deep/er/cgroup.procs"))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, strings.Fields(string(content))...)
	}
	return pids
}

func leftNothing(t *testing.T, group string) {
	t.Helper()
	if _, err := strconv.Atoi(strings.TrimPrefix(group, "/"+groupPrefix)); err != nil {
		t.Fatalf("%q is no control group of a run", group)
	}
	for _, hierarchy := range hierarchies() {
		if _, err := os.Stat(hierarchy + group); err == nil {
			t.Errorf("%s is left", hierarchy+group)
		}
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{"left-by-test", scratch, "/run/shadow"} {
		if strings.Contains(string(mounts), left) {
			t.Errorf("a mount of %s is left", left)
		}
	}
	for _, path := range []string{"/run/left", "/run/shadow", scratch, "/var/lib/left-by-test"} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is left", path)
		}
	}
}
