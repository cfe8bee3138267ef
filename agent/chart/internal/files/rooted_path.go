package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
)

// rootedPath is a file or directory below one of the roots.
type rootedPath struct{ root, name string }

func (p rootedPath) path() string { return filepath.Join(p.root, p.name) }

func (p rootedPath) child(name string) rootedPath {
	return rootedPath{p.root, filepath.Join(p.name, name)}
}

// open opens the file and never follows a link out of the root. Another process may create such a link at any time, so checking the path
// before is not enough. It does not block on a pipe.
func (p rootedPath) open() (*os.File, fs.FileInfo, error) {
	root, err := os.OpenRoot(p.root)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(p.name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // only read
		return nil, nil, err
	}
	return f, info, nil
}

// info describes the file, or the link if it is one.
func (p rootedPath) info() (fs.FileInfo, error) {
	root, err := os.OpenRoot(p.root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Lstat(p.name)
}

// read reads a regular file.
func (p rootedPath) read(limit int64) ([]byte, error) {
	f, info, err := p.open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	return io.ReadAll(limits.NewReader(f, limit))
}

// list returns the names in a directory in the order in which Helm reads them.
func (p rootedPath) list() ([]string, error) {
	f, _, err := p.open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}
