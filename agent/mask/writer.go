package mask

import (
	"bytes"
	"io"
	"sync"
)

// heldBack is how many bytes of an unfinished line wait for its end.
const heldBack = 1 << 20

// Writer passes whole lines on, masked, so that a secret may be split over several writes.
type Writer struct {
	mask *Mask
	w    io.Writer

	mu   sync.Mutex
	line []byte // begun, and not yet ended
}

// Writer masks what is written through it to w.
func (m *Mask) Writer(w io.Writer) *Writer { return &Writer{mask: m, w: w} }

// Write implements io.Writer.
func (m *Writer) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.line = append(m.line, p...)
	end := bytes.LastIndexByte(m.line, '\n') + 1
	if len(m.line) > heldBack {
		end = len(m.line)
	}
	return len(p), m.pass(end)
}

// Flush passes on what was begun and is not ended, such as a question.
func (m *Writer) Flush() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pass(len(m.line))
}

func (m *Writer) pass(end int) error {
	if end == 0 {
		return nil
	}
	text := m.mask.String(string(m.line[:end]))
	m.line = append(m.line[:0], m.line[end:]...)
	_, err := io.WriteString(m.w, text)
	return err
}
