package child

import (
	"encoding/binary"
	"errors"
)

var (
	errEncoding = errors.New("it sent data that is not CBOR")
	errElements = errors.New("too many elements")
)

// The parts of the first byte of an element, as in RFC 8949.
const (
	kindShift  = 5
	sizeMask   = 0x1f
	kindBytes  = 2 // the content follows the head
	kindText   = 3 // the content follows the head
	sizeInByte = 24
	reserved   = 28
	unbounded  = 31
)

// countElements counts the heads in CBOR: each text, number, list, map and tag has one. It decodes nothing, and fails above the limit.
func countElements(data []byte, limit int) (int, error) {
	n := 0
	for len(data) > 0 {
		if n++; n > limit {
			return n, errElements
		}
		kind, size := data[0]>>kindShift, data[0]&sizeMask
		data = data[1:]
		argument := uint64(size)
		switch {
		case size >= sizeInByte && size < reserved:
			width := 1 << (size - sizeInByte)
			if len(data) < width {
				return n, errEncoding
			}
			var wide [8]byte
			copy(wide[8-width:], data[:width])
			argument, data = binary.BigEndian.Uint64(wide[:]), data[width:]
		case size >= reserved && size < unbounded:
			return n, errEncoding
		}
		if size == unbounded || kind != kindBytes && kind != kindText {
			continue
		}
		if argument > uint64(len(data)) {
			return n, errEncoding
		}
		data = data[argument:]
	}
	return n, nil
}
