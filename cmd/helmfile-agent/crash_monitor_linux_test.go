package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

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
	return 0
}

type custom struct{ text string }

func (c custom) Error() string { return "an error of its own: " + c.text }

var misbehaviours = map[string]func(before io.Writer){
	"a panic with an error":                 func(io.Writer) { panic(custom{canary}) },
	"a panic with a text of several lines":  func(io.Writer) { panic("one\n" + canary + "\ngoroutine 1 [running]:\n" + canary) },
	"a panic of a goroutine":                func(io.Writer) { go panic(errors.New(canary)); select {} },
	"a panic that was recovered and raised": func(io.Writer) { again() },
	"a nil map":                             func(io.Writer) { var m map[string]string; m[canary] = canary },
	"a library prints to standard output":   func(io.Writer) { fmt.Println("it is", canary) },
	"a library kept standard error":         func(before io.Writer) { fmt.Fprintln(before, "it is", canary) },
	"a library splits what it prints":       func(io.Writer) { fmt.Print("it is ", canary[:9]); fmt.Print(canary[9:]) },
	"a child prints": func(io.Writer) {
		cmd := exec.Command("sh", "-c", `echo "it is $0"; echo "it is $0" >&2`, canary)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		_ = cmd.Run()
	},
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
		"a library prints to standard output":   {"it is ********\n"},
		"a library kept standard error":         {"it is ********\n"},
		"a library splits what it prints":       {"it is ********"},
		"a child prints":                        {"it is ********\nit is ********\n"},
	} {
		t.Run(how, func(t *testing.T) {
			crashes := strings.Contains(how, "panic") || how == "a nil map"
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
	var out, errs strings.Builder
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), behaviour+"="+how)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // its state says it
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
