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

// startCrashMonitor starts this binary again as the crash monitor, which shows on stderr where this process crashes. The function stop
// ends the monitor and is never nil. startCrashMonitor does not wait until the monitor is ready: a pipe keeps what it has not read yet.
func startCrashMonitor(output, stderr *os.File) (stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return func() {}, fmt.Errorf("start the crash monitor: %w", err)
	}
	reader, writer, err := crashPipe()
	if err != nil {
		return func() {}, fmt.Errorf("start the crash monitor: %w", err)
	}
	defer func() { _ = reader.Close() }() // the monitor has a copy
	defer func() { _ = writer.Close() }() // the runtime keeps a copy
	monitor, err := startMonitor(self, reader, stderr, output)
	if err != nil {
		return func() {}, fmt.Errorf("start the crash monitor %s: %w", self, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = monitor.Wait() // the exit status of the monitor does not matter
	}()
	stop = func() { stopMonitor(monitor, ended) }
	if err := debug.SetCrashOutput(writer, debug.CrashOptions{}); err != nil {
		_ = writer.Close()
		stop()
		return func() {}, fmt.Errorf("send crashes to the crash monitor: %w", err)
	}
	return stop, nil
}

// startMonitor gives the process no secret: it has no arguments, and its environment is only for Go's runtime. The process has its own
// process group, so that a signal to the group of the run does not end it before the run. startMonitor does not use os.StartProcess,
// because that would make output a blocking file.
func startMonitor(self string, crashes, stderr, output *os.File) (*os.Process, error) {
	files := make([]uintptr, crash.OutputFD+1)
	files[crash.TraceFD], files[1], files[crash.StderrFD] = crashes.Fd(), ^uintptr(0), stderr.Fd() // file 1 is closed
	connection, err := output.SyscallConn()
	if err != nil {
		return nil, err
	}
	var pid int
	var startErr error
	if err := connection.Control(func(fd uintptr) {
		files[crash.OutputFD] = fd
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

// stopMonitor closes the pipe. Then the monitor ends by itself; stopMonitor kills it if it does not.
func stopMonitor(monitor *os.Process, ended <-chan struct{}) {
	_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
	select {
	case <-ended:
	case <-time.After(drainTimeout):
		_ = monitor.Kill()
		<-ended
	}
}
