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

// Bounds are what one side reads of the other.
type Bounds struct {
	Frame    int // bytes of one value
	Stream   int // bytes of all values
	Elements int // texts, numbers, lists and maps of all values: one of a byte can need a hundred bytes in memory
}

// Trusted are the bounds of what the agent says.
var Trusted = Bounds{Frame: 1 << 30, Stream: math.MaxInt, Elements: math.MaxInt}

const (
	maxDepth   = 256
	lengthSize = 4
)

// ErrTooMuch says that a value, or all of them, are larger than the other side reads.
var ErrTooMuch = errors.New("it said more than the agent reads")

func (b Bounds) frameError() error {
	return fmt.Errorf("%w: more than %d MiB in one message", ErrTooMuch, b.Frame>>20)
}

// Both sides speak CBOR, because JSON would lose the difference between the numbers 1 and 1.0, which charts print differently.
var (
	encoding = must(cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode())
	decoding = must(cbor.DecOptions{
		DefaultMapType:   reflect.TypeFor[map[string]any](),
		IntDec:           cbor.IntDecConvertSignedOrFail,
		MaxNestedLevels:  maxDepth,
		MaxArrayElements: math.MaxInt32, // elements are counted before they are decoded
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

// NewWriter writes to w what the other side reads with these bounds.
func NewWriter(w io.Writer, bounds Bounds) *Writer { return &Writer{out: w, bounds: bounds} }

// Send writes one value, or nothing and an error that is ErrTooMuch.
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
	left   Bounds // what may still come
	frame  bytes.Buffer
}

// NewReader reads from r within the bounds, because the other side is not trusted.
func NewReader(r io.Reader, bounds Bounds) *Reader {
	return &Reader{in: r, bounds: bounds, left: bounds}
}

// Next reads one value; io.EOF says that there are no more.
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

// Size is the number of bytes of the last value.
func (r *Reader) Size() int { return r.frame.Len() }

// read fills the frame. It grows with what arrives, not with the length that the other side claims.
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
