package child

import (
	"bytes"
	"fmt"
	"sync"
)

const (
	maxTail   = 64 << 10 // bytes of the standard error that are saved from its beginning, and as many from its end
	maxStderr = 64 << 20 // bytes that the process may write to its standard error
)

var errStderr = fmt.Errorf("it wrote more than %d MiB to its standard error", maxStderr>>20)

// tail saves the beginning and the end of what is written to it. The beginning matters because a Go program prints first why it ends.
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
		return 0, errStderr // then the pipe is closed, which ends the process
	}
	if free := maxTail - t.head.Len(); free > 0 {
		t.head.Write(p[:min(free, len(p))])
		p = p[min(free, len(p)):]
	}
	t.rest.Write(p)
	if excess := t.rest.Len() - maxTail; excess > 0 {
		t.rest.Next(excess)
	}
	return n, nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head.String() + t.rest.String()
}
