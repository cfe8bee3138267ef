package chart

import (
	"fmt"
	"io"
)

// The limits of what the agent downloads. Helm's loader has one more: 5 MiB for one file.
const (
	indexSize   = 64 << 20
	archiveSize = 64 << 20
)

// pathElements is how deep the directories of a chart may be nested.
const pathElements = 64

// limitReader returns an error after limit bytes. io.LimitReader would end as if everything had been read.
func limitReader(from io.Reader, limit int64) io.Reader {
	return &limitedReader{from: from, left: limit, limit: limit}
}

type limitedReader struct {
	from        io.Reader
	left, limit int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return 0, tooLarge(l.limit)
	}
	return n, err
}

// tooLarge is the error for more than limit bytes.
func tooLarge(limit int64) error {
	return fmt.Errorf("it is larger than the limit of %d MiB", limit>>20)
}
