package lookup

import (
	"fmt"
	"io"
)

var errTooLarge = fmt.Errorf("the answer of the API server is larger than %d MiB: look up one object instead of all", maxAnswer>>20)

// limitedBody returns an error after a number of bytes. A body that only ended there would look complete.
type limitedBody struct {
	io.ReadCloser
	left int64
}

func limit(body io.ReadCloser) io.ReadCloser { return &limitedBody{body, maxAnswer} }

// Read implements io.Reader.
func (l *limitedBody) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}
