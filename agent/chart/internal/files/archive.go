package files

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/archive"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
)

// ReadArchive reads a chart archive and checks it as if it had been downloaded. Another process may replace the file afterwards, so
// callers use the returned content and do not read the file again.
func (r *Reader) ReadArchive(file string) ([]byte, error) {
	data, err := r.Read(file, limits.ArchiveSize)
	if err == nil {
		err = r.checkArchive(data)
	}
	if err != nil {
		return nil, fmt.Errorf("read chart archive: %w", err)
	}
	return data, nil
}

// checkArchive checks each archive once, also when several goroutines ask for it at the same time.
func (r *Reader) checkArchive(data []byte) error {
	check, _ := r.checked.LoadOrStore(sha256.Sum256(data), sync.OnceValue(func() error { return archive.Check(data) }))
	return check.(func() error)()
}
