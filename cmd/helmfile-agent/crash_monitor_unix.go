//go:build unix

package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/helmfile-agent/helmfile-agent/cmd/helmfile-agent/crash"
)

// startCrashMonitor has another process of this binary show on stderr where this one crashes. stop ends it, and is never nil.
// Only the start of the process is waited for, not until it is ready: a pipe keeps what it has not read yet.
func startCrashMonitor(output, stderr *os.File) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return func() {}, fmt.Errorf("start the crash monitor: %w", err)
	}
	from, to, err := crashPipe()
	if err != nil {
		return func() {}, fmt.Errorf("start the crash monitor: %w", err)
	}
	defer from.Close()
	defer to.Close() // the runtime keeps a copy
	monitor, err := startMonitor(self, from, stderr, output)
	if err != nil {
		return func() {}, fmt.Errorf("start the crash monitor %s: %w", self, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = monitor.Wait() // how it ends changes nothing
	}()
	stop = func() { stopMonitor(monitor, ended) }
	if err := debug.SetCrashOutput(to, debug.CrashOptions{}); err != nil {
		_ = to.Close()
		stop()
		return func() {}, fmt.Errorf("redirect crashes: %w", err)
	}
	return stop, nil
}

// startMonitor gives the process no secret: no environment but for Go's runtime, no argument. Its process group is its own, so that
// a signal to the group of the run does not end it before the run. Numbers of files are given, because os.StartProcess would make output block.
func startMonitor(self string, from, stderr, output *os.File) (*os.Process, error) {
	files := make([]uintptr, crash.Output+1)
	files[crash.Crash], files[1], files[crash.Shown] = from.Fd(), ^uintptr(0), stderr.Fd() // file 1 is closed
	connection, err := output.SyscallConn()
	if err != nil {
		return nil, err
	}
	var pid int
	var startErr error
	if err := connection.Control(func(fd uintptr) {
		files[crash.Output] = fd
		pid, startErr = syscall.ForkExec(self, []string{crash.MonitorName}, &syscall.ProcAttr{
			Dir:   "/",
			Env:   []string{"GOMAXPROCS=1"}, // each processor costs memory
			Files: files,
			Sys:   &syscall.SysProcAttr{Setpgid: true},
		})
	}); err != nil {
		return nil, err
	}
	if startErr != nil {
		return nil, startErr
	}
	return os.FindProcess(pid)
}

// stopMonitor closes the pipe, which ends the monitor.
func stopMonitor(monitor *os.Process, ended <-chan struct{}) {
	_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
	select {
	case <-ended:
	case <-time.After(lastWords):
		_ = monitor.Kill()
		<-ended
	}
}
