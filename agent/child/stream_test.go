package child

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
)

var testBounds = Bounds{Frame: 18 << 20, Stream: 256 << 20, Elements: 2 << 20}

// Message is one value of a sender.
type Message struct {
	Learn any
	Plain []byte
	File  string
}

// frame is content as it is sent.
func frame(content []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), content...)
}

func TestReaderHasBounds(t *testing.T) {
	learn := []byte{0xa1, 0x65, 'L', 'e', 'a', 'r', 'n'}
	for name, test := range map[string]struct {
		wire []byte
		want error // nil for any
	}{
		"nesting":                            {frame(bytes.Repeat([]byte{0x81}, maxDepth+2)), nil}, // lists within lists
		"a list that claims 2^32 elements":   {frame(append(learn, 0x9b, 0, 0, 0, 1, 0, 0, 0, 0)), nil},
		"a text that claims 2^63 bytes":      {frame(append(learn, 0x7b, 0x80, 0, 0, 0, 0, 0, 0, 0)), errEncoding},
		"a number that is cut off":           {frame(append(learn, 0x1b, 0)), errEncoding},
		"garbage":                            {frame([]byte("no CBOR at all")), errEncoding},
		"two values in a frame":              {frame(append(append([]byte{}, append(learn, 0)...), 0)), nil},
		"an empty frame":                     {frame(nil), nil},
		"a frame that claims too much":       {binary.BigEndian.AppendUint32(nil, uint32(testBounds.Frame)+1), ErrTooMuch},
		"a frame that is cut off":            {binary.BigEndian.AppendUint32(nil, uint32(testBounds.Frame)), io.ErrUnexpectedEOF},
		"a length that is cut off":           {[]byte{0, 0}, io.ErrUnexpectedEOF},
		"more elements than the agent reads": {frame(elements(testBounds.Elements)), ErrTooMuch},
	} {
		var m Message
		if err := NewReader(bytes.NewReader(test.wire), testBounds).Next(&m); err == nil || errors.Is(err, io.EOF) || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
}

// elements is a message with n maps in it, in lists.
func elements(n int) []byte {
	const each = 1 << 16
	message := []byte{0xa1, 0x65, 'L', 'e', 'a', 'r', 'n', 0x9a}
	message = binary.BigEndian.AppendUint32(message, uint32(n/each))
	for range n / each {
		message = binary.BigEndian.AppendUint32(append(message, 0x9a), each)
		message = append(message, bytes.Repeat([]byte{0xa0}, each)...)
	}
	return message
}

// TestElementsAreCounted: lists, maps, keys, texts, numbers and tags count one each.
func TestElementsAreCounted(t *testing.T) {
	for text, want := range map[string]int{
		"":                                     0,
		"\x00\x18\xff\x1a\x00\x00\x00\x01\x20": 4, // numbers
		"\x63abc":                              1,
		"\x43abc":                              1,
		"\x82\x00\x80":                         3,
		"\xa1\x61a\x80":                        3,
		"\xc1\x00":                             2, // a tag
		"\x9f\x00\xff":                         3, // a list with an end
		"\x7f\x61a\xff":                        3, // a text in parts
		"\xf6\xf5\xfb\x00\x00\x00\x00\x00\x00\x00\x00": 3,
	} {
		if got, err := countElements([]byte(text), 10); got != want || err != nil {
			t.Errorf("%x: got %d, %v, want %d", text, got, err, want)
		}
	}
	if _, err := countElements(make([]byte, 11), 10); !errors.Is(err, errElements) {
		t.Errorf("got %v", err)
	}
}

// TestTheElementsOfAllMessagesAreBounded: the bound is for all messages together.
func TestTheElementsOfAllMessagesAreBounded(t *testing.T) {
	message := frame(elements(testBounds.Elements / 4))
	r := NewReader(bytes.NewReader(bytes.Repeat(message, 4)), testBounds)
	for i := range 4 {
		var m Message
		if err := r.Next(&m); errors.Is(err, ErrTooMuch) != (i == 3) {
			t.Errorf("message %d: got %v", i, err)
		}
	}
}

// TestMemoryIsBounded counts what decoding the worst messages allocates: maps with one key each need most.
func TestMemoryIsBounded(t *testing.T) {
	const bound = 400 << 20
	pairs := bytes.Repeat([]byte("\xa1\x61a\x00"), 1<<19)
	list := append([]byte("\xa1\x65Learn\x9a\x00\x08\x00\x00"), pairs...)
	for name, wire := range map[string][]byte{
		"maps with one key":         frame(list),
		"empty maps, all permitted": frame(elements(testBounds.Elements - 1<<16)),
		"empty maps in 16 MiB":      frame(elements(15 << 20)),
		"a length without content":  binary.BigEndian.AppendUint32(nil, uint32(testBounds.Frame)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := NewReader(bytes.NewReader(wire), testBounds)
		var err error
		for err == nil {
			var m Message
			err = r.Next(&m)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > bound {
			t.Errorf("%s: %d MiB were allocated for %d MiB", name, used>>20, len(wire)>>20)
		}
	}
}

func TestReaderStopsAtTheLimit(t *testing.T) {
	wire, feed := io.Pipe()
	go func() {
		w := NewWriter(feed, testBounds)
		text := string(make([]byte, 1<<20))
		for w.Send(Message{File: text}) == nil {
		}
	}()
	defer func() { _ = wire.Close() }() // ends the writer
	r := NewReader(wire, testBounds)
	for range testBounds.Stream>>20 + 1 {
		var m Message
		if err := r.Next(&m); err != nil {
			if !errors.Is(err, ErrTooMuch) {
				t.Errorf("got %v", err)
			}
			return
		}
	}
	t.Error("the reader did not stop")
}

// TestWritersKeepTheBound: a Writer does not send a message above the bounds, and the next message arrives.
func TestWritersKeepTheBound(t *testing.T) {
	var wire bytes.Buffer
	w := NewWriter(&wire, testBounds)
	if err := w.Send(Message{Plain: make([]byte, testBounds.Frame)}); !errors.Is(err, ErrTooMuch) || wire.Len() > 0 {
		t.Errorf("got %v, and %d bytes were sent", err, wire.Len())
	}
	if err := w.Send(Message{Plain: make([]byte, 16<<20)}); err != nil {
		t.Errorf("a file of 16 MiB: %v", err)
	}
	var m Message
	if err := NewReader(&wire, testBounds).Next(&m); err != nil || len(m.Plain) != 16<<20 {
		t.Errorf("got %d bytes, %v", len(m.Plain), err)
	}
}

func TestTail(t *testing.T) {
	var saved tail
	_, _ = io.WriteString(&saved, "first"+strings.Repeat("x", 1<<20)+"last")
	if text := saved.String(); len(text) > 2*maxTail || !strings.HasPrefix(text, "first") || !strings.HasSuffix(text, "last") {
		t.Errorf("%d bytes are saved", len(text))
	}
}
