package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/cmd/helmfile-agent/crash"
)

// scenarioVariable names a scenario that the test binary executes instead of its tests, as a process with a session.
const scenarioVariable = "TEST_SCENARIO"

func TestMain(m *testing.M) {
	if scenario := scenarios[os.Getenv(scenarioVariable)]; scenario != nil {
		os.Exit(execScenario(scenario))
	}
	os.Exit(m.Run())
}

const canary = `correct "horse" battery staple`

// execScenario returns the number of child processes that are left.
func execScenario(scenario func(stderr io.Writer)) int {
	stderr := os.Stderr // libraries keep a copy, too
	s, err := newSession(config.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	s.mask.Add(canary)
	scenario(stderr)
	s.release()
	return children()
}

// children counts the child processes, including those that have ended without being waited for.
func children() int {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	if len(lists) == 0 {
		return 1 // the kernel does not say
	}
	n := 0
	for _, list := range lists {
		pids, _ := os.ReadFile(list) // a thread may have ended
		n += len(strings.Fields(string(pids)))
	}
	return n
}

type custom struct{ text string }

func (c custom) Error() string { return "a custom error: " + c.text }

var scenarios = map[string]func(stderr io.Writer){
	"a panic with an error":                 func(io.Writer) { panic(custom{canary}) },
	"a panic with a text of several lines":  func(io.Writer) { panic("one\n" + canary + "\ngoroutine 1 [running]:\n" + canary) },
	"a panic of a goroutine":                func(io.Writer) { go panic(errors.New(canary)); select {} },
	"a panic that was recovered and raised": func(io.Writer) { panicAgain() },
	"a nil map":                             func(io.Writer) { var m map[string]string; m[canary] = canary }, //nolint:staticcheck // this is the crash
	"a panic with a long text":              func(io.Writer) { panic(strings.Repeat(canary+"\n", 1<<15)) },
	"a panic with long stacks":              func(io.Writer) { startManyGoroutines(); panic(canary) },
	"a panic after a signal to the group": func(io.Writer) {
		signal.Ignore(syscall.SIGTERM, os.Interrupt)
		_, _ = syscall.Kill(0, syscall.SIGTERM), syscall.Kill(0, syscall.SIGINT)
		time.Sleep(100 * time.Millisecond) // the signals arrive
		panic(canary)
	},
	"a fatal error":                       func(io.Writer) { var m sync.Mutex; m.Unlock() },
	"a timer of another goroutine":        func(io.Writer) { measureTimers() },
	"it is killed":                        func(io.Writer) { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) },
	"a library prints to standard output": func(io.Writer) { fmt.Println("it is", canary) },
	"a library kept standard error":       func(stderr io.Writer) { fmt.Fprintln(stderr, "it is", canary) },
	"a library splits what it prints":     func(io.Writer) { fmt.Print("it is ", canary[:9]); fmt.Print(canary[9:]) },
	"a child prints": func(io.Writer) {
		cmd := exec.Command("sh", "-c", `echo "it is $0"; echo "it is $0" >&2`, canary)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		_ = cmd.Run()
	},
}

// startManyGoroutines makes the stacks longer than what is shown.
func startManyGoroutines() {
	debug.SetTraceback("all")
	for range 1000 {
		go func() { select {} }()
	}
	time.Sleep(10 * time.Millisecond)
}

// measureTimers prints whether timers are late that are set while all threads sleep. The runtime wakes a thread by a write to a pipe,
// which must arrive.
func measureTimers() {
	start := time.Now()
	for range 20 {
		fired := make(chan struct{})
		go time.AfterFunc(time.Millisecond, func() { close(fired) })
		<-fired
	}
	if late := time.Since(start); late > 2*time.Second {
		fmt.Println("the timers are late:", late)
		return
	}
	fmt.Println("the timers are in time")
}

func panicAgain() {
	defer func() { panic(fmt.Sprint(recover(), " again")) }()
	panic(canary)
}

// TestAllOutputIsMasked starts processes that print a secret in the ways in which libraries may do it. A crash must still show where it
// happened.
func TestAllOutputIsMasked(t *testing.T) {
	const place = "crash_monitor_linux_test.go:"
	for name, want := range map[string][]string{
		"a panic with an error":                 {crash.Withheld, place, "goroutine 1 ["},
		"a panic with a text of several lines":  {crash.Withheld, place, "goroutine 1 ["},
		"a panic of a goroutine":                {crash.Withheld, place, "goroutine "},
		"a panic that was recovered and raised": {crash.Withheld, place, "panicAgain"},
		"a nil map":                             {"panic: assignment to entry in nil map", place},
		"a panic with a long text":              {crash.Withheld, place, "goroutine 1 ["},
		"a panic with long stacks":              {crash.Withheld, place, "(the rest of the crash is not shown: it is too long)\n"},
		"a panic after a signal to the group":   {crash.Withheld, place, "goroutine 1 ["},
		"a fatal error":                         {place, "sync.(*Mutex).Unlock", "goroutine 1 ["},
		"a timer of another goroutine":          {"the timers are in time\n"},
		"a library prints to standard output":   {"it is ********\n"},
		"a library kept standard error":         {"it is ********\n"},
		"a library splits what it prints":       {"it is ********"},
		"a child prints":                        {"it is ********\nit is ********\n"},
	} {
		t.Run(name, func(t *testing.T) {
			crashes := strings.Contains(name, "panic") || name == "a nil map" || name == "a fatal error"
			stdout, stderr, code := runScenario(t, name)
			if (code == 2) != crashes || (code == 0) == crashes {
				t.Errorf("exit code %d", code)
			}
			if strings.Contains(stdout+stderr, "horse") || stdout != "" {
				t.Errorf("the process printed: %s\n%s", stdout, stderr)
			}
			for _, text := range want {
				if !strings.Contains(stderr, text) {
					t.Errorf("%q is missing in:\n%s", text, stderr)
				}
			}
			if strings.Contains(stderr, "\n\tgoroutine") {
				t.Errorf("a message was mistaken for a stack:\n%s", stderr)
			}
		})
	}
}

func runScenario(t *testing.T, name string) (stdout, stderr string, code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), scenarioVariable+"="+name)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); errors.Is(err, exec.ErrWaitDelay) {
		t.Error("a process still has standard error open")
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// The crash monitor has standard error open, so runScenario waits for it.
func TestTheCrashMonitorEndsWithAKilledProcess(t *testing.T) {
	if stdout, stderr, code := runScenario(t, "it is killed"); code != -1 || stdout+stderr != "" {
		t.Errorf("exit code %d, the process printed: %s%s", code, stdout, stderr)
	}
}

// TestTheCrashMonitorInitializesFewPackages makes Go's runtime list the packages that the monitor initializes.
func TestTheCrashMonitorInitializesFewPackages(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	monitor := exec.CommandContext(t.Context(), self)
	monitor.Args = []string{crash.MonitorName}
	monitor.Env = []string{"GODEBUG=inittrace=1"}
	out, err := monitor.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "init os @") {
		t.Errorf("no list of packages: %s", out)
	}
	for _, heavy := range []string{"init net/http @", "init k8s.io/client-go/kubernetes/scheme @", "init helm.sh/"} {
		if strings.Contains(string(out), heavy) {
			t.Errorf("%s is initialized before the crash monitor: package crash imports too much", heavy)
		}
	}
}
