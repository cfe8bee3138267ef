package child

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

const maxStream = 8 << 20

// message is one of a sender.
type message struct {
	Learn any
	File  string
}

func TestReaderHasBounds(t *testing.T) {
	deep := bytes.Repeat([]byte{0x81}, maxDepth+2) // lists within lists
	long := []byte{0xa1, 0x65, 'L', 'e', 'a', 'r', 'n', 0x9b, 0, 0, 0, 1, 0, 0, 0, 0}
	for name, wire := range map[string][]byte{"nesting": deep, "a list that claims 2^32 elements": long, "garbage": []byte("no CBOR at all")} {
		var m message
		if err := NewReader(bytes.NewReader(wire), maxStream).Next(&m); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestReaderStopsAtTheLimit(t *testing.T) {
	wire, feed := io.Pipe()
	go func() {
		w := NewWriter(feed)
		for w.Send(message{File: string(make([]byte, 1<<20))}) == nil {
		}
	}()
	defer wire.Close()
	r := NewReader(wire, maxStream)
	for range maxStream>>20 + 1 {
		var m message
		if err := r.Next(&m); err != nil {
			if !errors.As(err, new(TooMuchError)) {
				t.Errorf("got %v", err)
			}
			return
		}
	}
	t.Error("it went on reading")
}

func TestTail(t *testing.T) {
	var kept tail
	_, _ = io.WriteString(&kept, "first"+strings.Repeat("x", 1<<20)+"last")
	if text := kept.String(); len(text) > 2*maxTail || !strings.HasPrefix(text, "first") || !strings.HasSuffix(text, "last") {
		t.Errorf("%d bytes are kept", len(text))
	}
}
