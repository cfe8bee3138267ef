package mask

import (
	"bytes"
	"io"
	"sync"
)

const (
	// maxBuffered is how many bytes of an unfinished line the writer keeps at most. When there are more, it writes the line in parts.
	maxBuffered = 1 << 20
	// overlap is how many bytes of such a line the writer still keeps, because they may be the beginning of a secret. Longer secrets are
	// not hidden in such a line.
	overlap = 64 << 10
)

// Writer masks text and writes it to another writer. It writes whole lines, so that a secret may be split over several calls of Write.
type Writer struct {
	mask *Mask
	w    io.Writer

	mu   sync.Mutex
	line []byte // the beginning of a line whose end has not arrived yet
}

// Writer returns a writer that masks its input and writes it to w.
func (m *Mask) Writer(w io.Writer) *Writer { return &Writer{mask: m, w: w} }

// Write implements io.Writer. It returns the number of bytes of p, and the errors of the writer below.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = append(w.line, p...)
	end := bytes.LastIndexByte(w.line, '\n') + 1
	if len(w.line) > maxBuffered {
		end = max(end, w.mask.cutOutsideSecrets(string(w.line), len(w.line)-overlap))
	}
	return len(p), w.forward(end)
}

// cutOutsideSecrets returns a place where the text can be cut in two: at, or the beginning of a secret there.
func (m *Mask) cutOutsideSecrets(text string, at int) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, s := range m.find(text) {
		switch {
		case s.from == 0 && s.to > at:
			return s.to
		case s.from < at && s.to > at:
			return s.from
		}
	}
	return at
}

// Flush writes an unfinished line, such as a prompt.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.forward(len(w.line))
}

// forward masks and writes the buffer up to end.
func (w *Writer) forward(end int) error {
	if end == 0 {
		return nil
	}
	text := w.mask.String(string(w.line[:end]))
	w.line = append(w.line[:0], w.line[end:]...)
	_, err := io.WriteString(w.w, text)
	return err
}
