package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layerOf packs entries. The bytes depend only on the entries, the date and the Go version. It uses gzip rather than zstd,
// because every registry, scanner and runtime supports it.
func layerOf(entries []entry, date time.Time) (v1.Layer, error) {
	var packed bytes.Buffer
	compressor, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	archive := tar.NewWriter(compressor)
	for _, e := range entries {
		if err := addEntry(archive, e, date); err != nil {
			return nil, fmt.Errorf("pack %s: %w", e.path, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := compressor.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}

func addEntry(archive *tar.Writer, e entry, date time.Time) error {
	if err := archive.WriteHeader(header(e, date)); err != nil {
		return err
	}
	_, err := archive.Write(e.content)
	return err
}

func header(e entry, date time.Time) *tar.Header {
	h := &tar.Header{Name: e.path, Mode: tarMode(e.mode), ModTime: date, Format: tar.FormatUSTAR}
	switch e.mode.Type() {
	case fs.ModeDir:
		h.Typeflag, h.Name = tar.TypeDir, e.path+"/"
	case fs.ModeSymlink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
	default:
		h.Typeflag, h.Size = tar.TypeReg, int64(len(e.content))
	}
	return h
}

// tarMode returns the mode with Unix's sticky bit, because Go uses another bit for it.
func tarMode(mode fs.FileMode) int64 {
	number := int64(mode.Perm())
	if mode&fs.ModeSticky != 0 {
		number |= 0o1000
	}
	return number
}
