package main

import (
	"io"
	"os"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// output writes to the process's standard output and standard error through the mask. What libraries and children write to either goes
// to standard error, also through the mask.
type output struct {
	stdout, stderr     *mask.Writer
	style, stderrStyle report.Style
	monitorErr         error  // why there is no crash monitor
	release            func() // writes out what was captured, and ends the capture; later output is lost
}

// drainTimeout is how long the process waits at its end for output that was already written, and for the crash monitor.
const drainTimeout = time.Second

func captureOutput(mask *mask.Mask) (output, error) {
	o := output{style: report.StyleFor(os.Stdout, os.Environ()), stderrStyle: report.StyleFor(os.Stderr, os.Environ())}
	original, captured, endCapture, err := redirect()
	if err != nil {
		return output{}, err
	}
	o.stdout, o.stderr = mask.Writer(original.stdout), mask.Writer(original.stderr)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		copyAll(mask.Writer(original.stderr), captured)
	}()
	stopMonitor, err := startCrashMonitor(captured, original.stderr)
	o.monitorErr = err
	o.release = func() {
		endCapture()
		_ = captured.SetReadDeadline(time.Now().Add(drainTimeout)) // a child may still have the other end open
		<-drained
		_, _ = o.stdout.Flush(), o.stderr.Flush() // there is no place left to report an error
		stopMonitor()
	}
	return o, nil
}

// copyAll continues to read after a write error, so that the writers of the captured output are never blocked.
func copyAll(to *mask.Writer, from io.Reader) {
	_, _ = io.Copy(to, from)
	_ = to.Flush()
	_, _ = io.Copy(io.Discard, from)
}

// streams are the standard output and the standard error that the process was started with.
type streams struct{ stdout, stderr *os.File }
