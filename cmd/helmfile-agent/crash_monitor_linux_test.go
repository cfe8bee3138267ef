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

// behaviour names what this test's own binary does in place of tests, as a process with a configured session.
const behaviour = "TEST_BEHAVIOUR"

func TestMain(m *testing.M) {
	if misbehave := misbehaviours[os.Getenv(behaviour)]; misbehave != nil {
		os.Exit(misbehaves(misbehave))
	}
	os.Exit(m.Run())
}

const canary = `correct "horse" battery staple`

func misbehaves(misbehave func(before io.Writer)) int {
	before := os.Stderr // as libraries keep it
	s, err := newSession(config.Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	s.mask.Add(canary)
	misbehave(before)
	s.release()
	return children()
}

// children is how many there are of this process, ended ones included that it has not waited for.
func children() int {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	if len(lists) == 0 {
		return 1 // unknown
	}
	n := 0
	for _, list := range lists {
		pids, _ := os.ReadFile(list) // a thread may have ended
		n += len(strings.Fields(string(pids)))
	}
	return n
}

type custom struct{ text string }

func (c custom) Error() string { return "an error of its own: " + c.text }

var misbehaviours = map[string]func(before io.Writer){
	"a panic with an error":                 func(io.Writer) { panic(custom{canary}) },
	"a panic with a text of several lines":  func(io.Writer) { panic("one\n" + canary + "\ngoroutine 1 [running]:\n" + canary) },
	"a panic of a goroutine":                func(io.Writer) { go panic(errors.New(canary)); select {} },
	"a panic that was recovered and raised": func(io.Writer) { again() },
	"a nil map":                             func(io.Writer) { var m map[string]string; m[canary] = canary },
	"a panic with a long text":              func(io.Writer) { panic(strings.Repeat(canary+"\n", 1<<15)) },
	"a panic with long stacks":              func(io.Writer) { crowd(); panic(canary) },
	"a panic after a signal to the group": func(io.Writer) {
		signal.Ignore(syscall.SIGTERM, os.Interrupt)
		_, _ = syscall.Kill(0, syscall.SIGTERM), syscall.Kill(0, syscall.SIGINT)
		time.Sleep(100 * time.Millisecond) // the signals arrive
		panic(canary)
	},
	"a fatal error":                       func(io.Writer) { var m sync.Mutex; m.Unlock() },
	"a timer of another goroutine":        func(io.Writer) { wakeUp() },
	"it is killed":                        func(io.Writer) { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) },
	"a library prints to standard output": func(io.Writer) { fmt.Println("it is", canary) },
	"a library kept standard error":       func(before io.Writer) { fmt.Fprintln(before, "it is", canary) },
	"a library splits what it prints":     func(io.Writer) { fmt.Print("it is ", canary[:9]); fmt.Print(canary[9:]) },
	"a child prints": func(io.Writer) {
		cmd := exec.Command("sh", "-c", `echo "it is $0"; echo "it is $0" >&2`, canary)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		_ = cmd.Run()
	},
}

// crowd starts goroutines whose stacks are more than is shown.
func crowd() {
	debug.SetTraceback("all")
	for range 1000 {
		go func() { select {} }()
	}
	time.Sleep(10 * time.Millisecond)
}

// wakeUp says how late timers are that are set while all threads sleep: the runtime wakes them by a write, which must arrive.
func wakeUp() {
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

func again() {
	defer func() { panic(fmt.Sprint(recover(), " again")) }()
	panic(canary)
}

// TestNothingPassesByTheMask runs a process that does, with a secret, what libraries do. Of a crash the place is still told.
func TestNothingPassesByTheMask(t *testing.T) {
	const place = "crash_monitor_linux_test.go:"
	for how, said := range map[string][]string{
		"a panic with an error":                 {crash.Withheld, place, "goroutine 1 ["},
		"a panic with a text of several lines":  {crash.Withheld, place, "goroutine 1 ["},
		"a panic of a goroutine":                {crash.Withheld, place, "goroutine "},
		"a panic that was recovered and raised": {crash.Withheld, place, "again"}, // the function
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
		t.Run(how, func(t *testing.T) {
			crashes := strings.Contains(how, "panic") || how == "a nil map" || how == "a fatal error"
			stdout, stderr, code := behave(t, how)
			if (code == 2) != crashes || (code == 0) == crashes {
				t.Errorf("exit code %d", code)
			}
			if strings.Contains(stdout+stderr, "horse") || stdout != "" {
				t.Errorf("the process said: %s\n%s", stdout, stderr)
			}
			for _, text := range said {
				if !strings.Contains(stderr, text) {
					t.Errorf("%q is missing in:\n%s", text, stderr)
				}
			}
			if strings.Contains(stderr, "\n\tgoroutine") {
				t.Errorf("a message is taken for a stack:\n%s", stderr)
			}
		})
	}
}

func behave(t *testing.T, how string) (stdout, stderr string, code int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out, errs strings.Builder
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), behaviour+"="+how)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); errors.Is(err, exec.ErrWaitDelay) {
		t.Error("a process is left that holds standard error")
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// The crash monitor holds standard error, so behave waits for it.
func TestTheCrashMonitorEndsWithAKilledProcess(t *testing.T) {
	if stdout, stderr, code := behave(t, "it is killed"); code != -1 || stdout+stderr != "" {
		t.Errorf("exit code %d, the process said: %s%s", code, stdout, stderr)
	}
}

// TestTheCrashMonitorIsLight has Go's runtime list the packages that the monitor initialises.
func TestTheCrashMonitorIsLight(t *testing.T) {
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
			t.Errorf("%s is initialised before the crash monitor: package crash imports too much", heavy)
		}
	}
}
