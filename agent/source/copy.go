package source

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/helmfile-agent/helmfile-agent/agent/source/limits"
)

// copyTree copies the files, links and directories below from into a new directory, without .git and without execute bits. helmfile writes
// files beside those that it reads, so it gets a copy, and the directory of the user does not change.
func copyTree(from, into string, allowed Limits) error {
	var size int64
	return fs.WalkDir(os.DirFS(from), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(into, path)
		switch {
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		case entry.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(filepath.Join(from, path))
			if err != nil {
				return err
			}
			return os.Symlink(to, target)
		case !entry.Type().IsRegular():
			return nil // a repository contains no sockets, pipes and devices
		}
		copied, err := copyFile(filepath.Join(from, path), target, allowed.FileSize)
		if err != nil {
			return err
		}
		if copied > allowed.FileSize {
			return limits.TooLarge(fmt.Sprintf("%s has at least %d bytes", path, copied), allowed.FileSize, limits.MaxFileSize)
		}
		if size += copied; size > allowed.Size {
			return limits.TooLarge(fmt.Sprintf("the files have at least %d bytes", size), allowed.Size, limits.MaxSize)
		}
		return nil
	})
}

// copyFile copies a file, but at most one byte more than the limit. It returns the number of bytes.
func copyFile(from, to string, limit int64) (int64, error) {
	source, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer func() { _ = source.Close() }() // only read
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(target, io.LimitReader(source, limit+1))
	if closeErr := target.Close(); err == nil {
		err = closeErr
	}
	return n, err
}
