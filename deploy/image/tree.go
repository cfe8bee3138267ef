package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeTree writes the image's files into an empty directory, for the Dockerfile to copy. It does not set dates, because
// the tool that builds the Dockerfile sets them (SOURCE_DATE_EPOCH).
func writeTree(root, binary string) error {
	base, err := baseEntries()
	if err != nil {
		return err
	}
	program, err := programEntries(binary)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	for _, e := range append(base, program...) {
		if err := writeEntry(filepath.Join(root, e.path), e); err != nil {
			return fmt.Errorf("write %s: %w", e.path, err)
		}
	}
	return nil
}

func writeEntry(path string, e entry) error {
	switch e.mode.Type() {
	case fs.ModeSymlink:
		return os.Symlink(e.link, path)
	case fs.ModeDir:
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
	default:
		if err := os.WriteFile(path, e.content, 0o644); err != nil {
			return err
		}
	}
	return os.Chmod(path, e.mode) // again, because the umask changed the first mode
}
