package lookup

import (
	"fmt"
	"io"
)

var errTooMuch = fmt.Errorf("the API server answers with more than %d MiB: look up one object instead of all", maxAnswer>>20)

// limited is a body that fails when more than a number of bytes is read from it. A body that only ended there would look complete.
type limited struct {
	io.ReadCloser
	left int64
}

func bounded(body io.ReadCloser) io.ReadCloser { return &limited{body, maxAnswer} }

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}
