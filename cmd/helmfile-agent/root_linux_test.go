package main

import (
	"syscall"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// The caller cannot correct a fault of the system, here one file too many: it is no mistake in the configuration.
func TestAFaultBeforeTheCommandBeginsIsNoMistakeOfTheCaller(t *testing.T) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 4, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	code := execute([]string{"destroy", "--namespace", "shop"})
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if code != exit.Unexpected {
		t.Errorf("exit %d, %s", code, code)
	}
}
