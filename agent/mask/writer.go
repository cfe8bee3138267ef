package mask

import (
	"bytes"
	"io"
	"sync"
)

// maxBuffered is how many bytes of an unfinished line the writer keeps at most. It then writes them, although a secret may continue after
// them.
const maxBuffered = 1 << 20

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
		end = len(w.line)
	}
	return len(p), w.forward(end)
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
