package limits

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// historyFactor is how many times the limits of a checkout the unpacked download may have. Some refs need the whole history, and most
// objects of a history are older versions of files.
const historyFactor = 20

// Storage refuses a download that exceeds the limits. All objects of a remote arrive as one packfile.
type Storage struct {
	*filesystem.Storage
	Limits Limits
}

// PackfileWriter implements storer.PackfileWriter. go-git writes the download to it.
func (s Storage) PackfileWriter() (io.WriteCloser, error) {
	pack, err := s.Storage.PackfileWriter()
	if err != nil {
		return nil, err
	}
	reader, writer := io.Pipe()
	w := &boundedPack{pack: pack, limit: s.Limits.Size, copy: writer, checked: make(chan error, 1)}
	go func() {
		err := s.Limits.checkPack(reader)
		_ = reader.CloseWithError(err) // always nil
		w.checked <- err
	}()
	return w, nil
}

// boundedPack counts the bytes of a pack, while checkPack reads a copy. go-git unpacks the objects into memory when it has the whole pack.
// So boundedPack keeps the last piece until checkPack has accepted all objects.
type boundedPack struct {
	pack     io.WriteCloser
	limit    int64
	received int64
	copy     *io.PipeWriter
	checked  chan error // the result of checkPack
	pending  []byte     // the last piece
}

func (w *boundedPack) Write(piece []byte) (int, error) {
	w.received += int64(len(piece))
	if w.received > w.limit {
		return 0, TooLarge(fmt.Sprintf("the download has at least %d bytes", w.received), w.limit, MaxSize)
	}
	if _, err := w.copy.Write(piece); err != nil {
		return 0, err
	}
	if err := w.writePending(); err != nil {
		return 0, err
	}
	w.pending = append(w.pending, piece...)
	return len(piece), nil
}

func (w *boundedPack) writePending() error {
	_, err := w.pack.Write(w.pending)
	w.pending = w.pending[:0]
	return err
}

// Close waits for the check and writes the last piece. If the check failed, the pack stays incomplete, and Close returns the error of the
// check instead of go-git's error about the incomplete pack.
func (w *boundedPack) Close() error {
	_ = w.copy.Close() // always nil
	err := <-w.checked
	if err == nil {
		err = w.writePending()
	}
	closeErr := w.pack.Close()
	if err != nil {
		return err
	}
	return closeErr
}

// checkPack reads a pack to its end and checks it against the limits. It does not rely on the sizes that the pack declares.
func (l Limits) checkPack(pack io.Reader) error {
	scanner := packfile.NewScanner(pack)
	_, count, err := scanner.Header()
	if errors.Is(err, packfile.ErrEmptyPackfile) {
		return nil // go-git reports this
	}
	if err != nil {
		return fmt.Errorf("read the download: %w", err)
	}
	if limit := historyFactor * l.Files; int64(count) > int64(limit) {
		return TooManyFiles(fmt.Sprintf("the download has %d objects", count), limit)
	}
	if err := l.checkObjects(scanner, count); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, pack)
	return err
}

func (l Limits) checkObjects(scanner *packfile.Scanner, count uint32) error {
	var total int64
	for range count {
		header, err := scanner.NextObjectHeader()
		if err != nil {
			return fmt.Errorf("read the download: %w", err)
		}
		object := &objectCounter{limit: l.FileSize}
		if _, _, err := scanner.NextObject(object); err != nil {
			return fmt.Errorf("read the download: %w", err)
		}
		size := object.size
		if header.Type.IsDelta() {
			size = max(size, object.deltaResult())
		}
		if size > l.FileSize {
			return tooLargeObject(size, l.FileSize)
		}
		if total += size; total > historyFactor*l.Size {
			return TooLarge(fmt.Sprintf("the unpacked history has at least %d bytes", total), historyFactor*l.Size, MaxSize)
		}
	}
	return nil
}

func tooLargeObject(size, limit int64) error {
	return TooLarge(fmt.Sprintf("the repository contains a file of at least %d bytes", size), limit, MaxFileSize)
}

// objectCounter counts the bytes of an unpacked object up to the limit, and keeps the first bytes.
type objectCounter struct {
	limit, size int64
	start       []byte
}

// Write implements io.Writer.
func (o *objectCounter) Write(piece []byte) (int, error) {
	o.size += int64(len(piece))
	if o.size > o.limit {
		return 0, tooLargeObject(o.size, o.limit)
	}
	if missing := 2*binary.MaxVarintLen64 - len(o.start); missing > 0 {
		o.start = append(o.start, piece[:min(missing, len(piece))]...)
	}
	return len(piece), nil
}

// deltaResult returns the size of the object that a delta produces. A delta begins with the size of its base and the size of its result
// (gitformat-pack).
func (o *objectCounter) deltaResult() int64 {
	_, n := binary.Uvarint(o.start)
	if n <= 0 {
		return 0 // go-git refuses this delta
	}
	size, n := binary.Uvarint(o.start[n:])
	if n < 0 || size > 1<<62 {
		return 1 << 62
	}
	return int64(size)
}
