package child

import (
	"fmt"
	"io"
	"reflect"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// Both sides speak CBOR, because JSON would lose the difference between the numbers 1 and 1.0, which charts print differently.
const (
	maxDepth    = 256
	maxElements = 1 << 20 // of one list or map
)

var (
	encoding = must(cbor.EncOptions{Time: cbor.TimeRFC3339Nano}.EncMode())
	decoding = must(cbor.DecOptions{
		DefaultMapType:   reflect.TypeFor[map[string]any](),
		IntDec:           cbor.IntDecConvertSignedOrFail,
		MaxNestedLevels:  maxDepth,
		MaxArrayElements: maxElements,
		MaxMapPairs:      maxElements,
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
	mu  sync.Mutex
	out *cbor.Encoder
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{out: encoding.NewEncoder(w)} }

// Send writes one value.
func (w *Writer) Send(value any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Encode(value)
}

// TooMuchError ends a stream that is longer than this many bytes.
type TooMuchError int64

func (e TooMuchError) Error() string { return fmt.Sprintf("it said more than %d MiB", int64(e)>>20) }

// Reader receives values. Size, depth and length are bounded, because the sender is not trusted.
type Reader struct {
	limit int64
	left  *io.LimitedReader
	in    *cbor.Decoder
}

// NewReader reads at most limit bytes from r.
func NewReader(r io.Reader, limit int64) *Reader {
	left := &io.LimitedReader{R: r, N: limit}
	return &Reader{limit: limit, left: left, in: decoding.NewDecoder(left)}
}

// Next reads one value; io.EOF says that there are no more.
func (r *Reader) Next(value any) error {
	err := r.in.Decode(value)
	if err != nil && r.left.N <= 0 {
		return TooMuchError(r.limit)
	}
	return err
}
