package main

import (
	"io"
	"os"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/report"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// output is where text leaves the process. Whatever else in it writes to standard output or standard error, a library or a
// child, writes to standard error through the mask.
type output struct {
	stdout, stderr     *secrets.MaskedWriter
	style, stderrStyle report.Style
	release            func() // gives the process its own standard output and standard error back, once all has passed
}

func takeOutput(mask *secrets.Mask) (output, error) {
	o := output{style: report.StyleFor(os.Stdout, os.Environ()), stderrStyle: report.StyleFor(os.Stderr, os.Environ())}
	to, from, restore, err := redirect()
	if err != nil {
		return output{}, err
	}
	o.stdout, o.stderr = mask.Writer(to.stdout), mask.Writer(to.stderr)
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		pass(from, mask.Writer(to.stderr))
	}()
	o.release = func() {
		restore()
		_ = from.SetReadDeadline(time.Now().Add(lastWords)) // a child may still hold the other end
		<-passed
		_, _ = o.stdout.Flush(), o.stderr.Flush() // nobody is left to be told
	}
	return o, nil
}

// lastWords is how long what was written before the end may take to arrive.
const lastWords = time.Second

// pass goes on reading when nobody reads what it writes: whoever writes here must not wait for ever.
func pass(from io.Reader, to *secrets.MaskedWriter) {
	_, _ = io.Copy(to, from)
	_ = to.Flush()
	_, _ = io.Copy(io.Discard, from)
}

// streams are the process's own.
type streams struct{ stdout, stderr *os.File }
