package child

import (
	"bytes"
	"fmt"
	"sync"
)

const (
	maxTail   = 64 << 10 // bytes of the beginning, and as many of the end, of the process's standard error that are kept
	maxStderr = 64 << 20 // bytes that it may write there
)

var errStderr = fmt.Errorf("it wrote more than %d MiB to its standard error", maxStderr>>20)

// tail keeps the beginning and the end of what is written to it: a Go program says first why it ends.
type tail struct {
	mu         sync.Mutex
	head, rest bytes.Buffer
	total      int
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	if t.total += n; t.total > maxStderr {
		return 0, errStderr // the pipe is closed, which ends the process
	}
	if room := maxTail - t.head.Len(); room > 0 {
		t.head.Write(p[:min(room, len(p))])
		p = p[min(room, len(p)):]
	}
	t.rest.Write(p)
	if over := t.rest.Len() - maxTail; over > 0 {
		t.rest.Next(over)
	}
	return n, nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head.String() + t.rest.String()
}
