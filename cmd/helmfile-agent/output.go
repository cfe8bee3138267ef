package main

import (
	"io"
	"os"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/report"
)

// output is where text leaves the process. Whatever else in it writes to standard output or standard error, a library or a
// child, writes to standard error through the mask.
type output struct {
	stdout, stderr     *mask.Writer
	style, stderrStyle report.Style
	crashErr           error  // why a crash will not be shown
	release            func() // ends the capture, once all has passed; what is written later is lost
}

func takeOutput(mask *mask.Mask) (output, error) {
	o := output{style: report.StyleFor(os.Stdout, os.Environ()), stderrStyle: report.StyleFor(os.Stderr, os.Environ())}
	to, from, end, err := redirect()
	if err != nil {
		return output{}, err
	}
	o.stdout, o.stderr = mask.Writer(to.stdout), mask.Writer(to.stderr)
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		pass(from, mask.Writer(to.stderr))
	}()
	stop, err := startCrashMonitor(from, to.stderr)
	o.crashErr = err
	o.release = func() {
		end()
		_ = from.SetReadDeadline(time.Now().Add(lastWords)) // a child may still hold the other end
		<-passed
		_, _ = o.stdout.Flush(), o.stderr.Flush() // an error could be reported nowhere
		stop()
	}
	return o, nil
}

// lastWords is how long what was written before the end may take to arrive.
const lastWords = time.Second

// pass goes on reading when nobody reads what it writes: whoever writes here must not wait for ever.
func pass(from io.Reader, to *mask.Writer) {
	_, _ = io.Copy(to, from)
	_ = to.Flush()
	_, _ = io.Copy(io.Discard, from)
}

// streams are the process's own.
type streams struct{ stdout, stderr *os.File }
