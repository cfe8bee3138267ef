package main

import (
	"syscall"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// A failure of the system, here a process with too many open files, is not an error in the configuration.
func TestASystemErrorBeforeTheStartIsNotConfigInvalid(t *testing.T) {
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
