//go:build !race

// The race detector allocates as well: what is measured here is what the code needs without it.

package child

import (
	"bytes"
	"io"
	"runtime"
	"testing"
)

// TestReadsGrowWithTheMessage checks that the memory for a message grows with its size, also if it arrives in small parts.
func TestReadsGrowWithTheMessage(t *testing.T) {
	for _, size := range []int{1 << 20, 16 << 20} {
		var wire bytes.Buffer
		if err := NewWriter(&wire, testBounds).Send(Message{Plain: make([]byte, size)}); err != nil {
			t.Fatal(err)
		}
		slow := &trickle{wire: &wire}
		in := NewReader(slow, testBounds)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var m Message
		if err := in.Next(&m); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(8*size) {
			t.Errorf("%d bytes were allocated for a message of %d", used, size)
		}
	}
}

// trickle returns only a few bytes from each read, as a pipe does.
type trickle struct{ wire io.Reader }

func (s *trickle) Read(p []byte) (int, error) { return s.wire.Read(p[:min(len(p), 4<<10)]) }
