package attacks

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ArchiveEntry is one entry of an archive.
type ArchiveEntry struct {
	Name    string `json:"name"`
	Type    string `json:"type"` // file, symlink, link or directory
	To      string `json:"to"`
	Content string `json:"content"`
	Zeros   int64  `json:"zeros"` // size of a file of zeros
}

var entryTypes = map[string]byte{"": tar.TypeReg, "file": tar.TypeReg, "symlink": tar.TypeSymlink, "link": tar.TypeLink, "directory": tar.TypeDir}

// pack makes the archive of a chart.
func pack(entries []ArchiveEntry, words *strings.Replacer) ([]byte, error) {
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	archive := tar.NewWriter(compressed)
	for _, e := range entries {
		if err := e.write(archive, words); err != nil {
			return nil, fmt.Errorf("pack %s: %w", e.Name, err)
		}
	}
	err := errors.Join(archive.Close(), compressed.Close())
	return packed.Bytes(), err
}

func (e ArchiveEntry) write(archive *tar.Writer, words *strings.Replacer) error {
	kind, known := entryTypes[e.Type]
	if !known {
		return fmt.Errorf("an archive has no entry of type %q", e.Type)
	}
	content := words.Replace(e.Content)
	header := &tar.Header{Name: words.Replace(e.Name), Typeflag: kind, Linkname: words.Replace(e.To), Mode: 0o644, Size: int64(len(content)) + e.Zeros}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(archive, io.MultiReader(strings.NewReader(content), io.LimitReader(zeros{}, e.Zeros)))
	return err
}

// zeros is an endless reader of zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
