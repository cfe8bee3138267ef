package limits

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// TestDeltaOfLargeFileIsRefused checks a delta of a few bytes that produces a large file: a delta can copy the same bytes many times.
func TestDeltaOfLargeFileIsRefused(t *testing.T) {
	for size, refused := range map[uint64]bool{1000: false, 1 << 40: true, 1<<64 - 1: true} {
		delta := binary.AppendUvarint(binary.AppendUvarint(nil, 7), size)
		var pack bytes.Buffer
		pack.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x01")
		pack.WriteByte(7<<4 | byte(len(delta))) // a delta of the object with the hash that follows
		pack.Write(make([]byte, 20))
		content := zlib.NewWriter(&pack)
		_, _ = content.Write(delta) // cannot fail: it writes to memory
		_ = content.Close()
		pack.Write(make([]byte, 20)) // the checksum
		err := Limits{Files: 1000, Size: 16 << 20, FileSize: 4 << 20}.checkPack(&pack)
		switch {
		case refused:
			if exit.Of(err) != exit.SourceRefused || !strings.Contains(err.Error(), "more than 4Mi") || !strings.Contains(err.Error(), "gitMaxFileSize") {
				t.Errorf("%d bytes: got %v", size, err)
			}
		case err != nil:
			t.Error(err)
		}
	}
}

// FuzzPack checks that no download makes checkPack panic, and that checkPack accepts only packs.
func FuzzPack(f *testing.F) {
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00"))
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x30\x78\x9c\x03\x00\x00\x00\x00\x01"))
	f.Add([]byte("PACK\x00\x00\x00\x02\xff\xff\xff\xff"))
	f.Add([]byte{})
	limits := Limits{Files: 1, Size: 1 << 10, FileSize: 1 << 10}
	f.Fuzz(func(t *testing.T, pack []byte) {
		err := limits.checkPack(strings.NewReader(string(pack)))
		if err == nil && len(pack) >= 12 && string(pack[:4]) != "PACK" {
			t.Error("accepted a download that is not a pack")
		}
	})
}
