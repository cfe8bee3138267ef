package files

import (
	"context"
	"crypto/sha256"
	"fmt"

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

// checkArchive checks each archive once.
func (r *Reader) checkArchive(data []byte) error {
	_, err := r.checked.Get(context.Background(), fmt.Sprintf("%x", sha256.Sum256(data)), func() (struct{}, error) {
		return struct{}{}, archive.Check(data)
	})
	return err
}
