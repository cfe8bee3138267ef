package limits

import (
	"fmt"
	"io"
)

// The limits of what the agent downloads. Helm's loader has one more: 5 MiB for one file.
const (
	IndexSize   = 64 << 20
	ArchiveSize = 64 << 20
)

// PathElements is how deep the directories of a chart may be nested.
const PathElements = 64

// NewReader returns an error after limit bytes. io.LimitReader would end as if everything had been read.
func NewReader(from io.Reader, limit int64) io.Reader {
	return &reader{from: from, left: limit, limit: limit}
}

type reader struct {
	from        io.Reader
	left, limit int64
}

func (l *reader) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return 0, TooLarge(l.limit)
	}
	return n, err
}

// TooLarge is the error for more than limit bytes.
func TooLarge(limit int64) error {
	return fmt.Errorf("it is larger than the limit of %d MiB", limit>>20)
}
