package child

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// Bounds limit what one side accepts from the other.
type Bounds struct {
	Frame    int // bytes of one value
	Stream   int // bytes of all values
	Elements int // texts, numbers, lists and maps of all values: an element of one byte can need a hundred bytes in memory
}

// Trusted are the bounds for messages from the agent.
var Trusted = Bounds{Frame: 1 << 30, Stream: math.MaxInt, Elements: math.MaxInt}

const (
	maxDepth   = 256
	lengthSize = 4
)

// ErrTooMuch says that one value, or all values together, exceed the bounds.
var ErrTooMuch = errors.New("it sent more than the agent reads")

func (b Bounds) frameError() error {
	return fmt.Errorf("%w: more than %d MiB in one message", ErrTooMuch, b.Frame>>20)
}

// The messages are CBOR, because JSON would lose the difference between the numbers 1 and 1.0, which charts print differently.
var (
	encoding = must(cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode())
	decoding = must(cbor.DecOptions{
		DefaultMapType:   reflect.TypeFor[map[string]any](),
		IntDec:           cbor.IntDecConvertSignedOrFail,
		MaxNestedLevels:  maxDepth,
		MaxArrayElements: math.MaxInt32, // countElements has counted the elements before
		MaxMapPairs:      math.MaxInt32,
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
	}.DecMode())
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err) // the options above are constants
	}
	return value
}

// Writer sends values one after another. It is safe for concurrent use.
type Writer struct {
	mu     sync.Mutex
	out    io.Writer
	bounds Bounds
}

// NewWriter makes a Writer to w for a Reader with these bounds.
func NewWriter(w io.Writer, bounds Bounds) *Writer { return &Writer{out: w, bounds: bounds} }

// Send writes one value. If the value exceeds the bounds, it writes nothing and returns ErrTooMuch.
func (w *Writer) Send(value any) error {
	content, err := encoding.Marshal(value)
	if err != nil {
		return err
	}
	if len(content) > w.bounds.Frame {
		return w.bounds.frameError()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	length := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	if _, err := w.out.Write(length); err != nil {
		return err
	}
	_, err = w.out.Write(content)
	return err
}

// Reader receives values, within bounds.
type Reader struct {
	in     io.Reader
	bounds Bounds
	left   Bounds // the bounds of the remaining values
	frame  bytes.Buffer
}

// NewReader makes a Reader from r. It has bounds because the other side is not trusted.
func NewReader(r io.Reader, bounds Bounds) *Reader {
	return &Reader{in: r, bounds: bounds, left: bounds}
}

// Next reads one value. It returns io.EOF if there are no more.
func (r *Reader) Next(value any) error {
	if err := r.read(); err != nil {
		return err
	}
	n, err := countElements(r.frame.Bytes(), r.left.Elements)
	if errors.Is(err, errElements) {
		return fmt.Errorf("%w: more than %d values", ErrTooMuch, r.bounds.Elements)
	}
	if err != nil {
		return err
	}
	r.left.Elements -= n
	return decoding.Unmarshal(r.frame.Bytes(), value)
}

// Size is the size of the last value in bytes.
func (r *Reader) Size() int { return r.frame.Len() }

// read reads one frame. The frame grows with the bytes that arrive, not to the length that the other side claims.
func (r *Reader) read() error {
	r.frame.Reset()
	var length [lengthSize]byte
	if _, err := io.ReadFull(r.in, length[:]); err != nil {
		return err
	}
	size := int64(binary.BigEndian.Uint32(length[:]))
	switch {
	case size == 0:
		return errEncoding
	case size > int64(r.bounds.Frame):
		return r.bounds.frameError()
	}
	if r.left.Stream -= int(size) + lengthSize; r.left.Stream < 0 {
		return fmt.Errorf("%w: more than %d MiB", ErrTooMuch, r.bounds.Stream>>20)
	}
	if _, err := io.CopyN(&r.frame, r.in, size); err != nil {
		return io.ErrUnexpectedEOF
	}
	return nil
}
