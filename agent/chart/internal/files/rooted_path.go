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

func (l rootedPath) path() string { return filepath.Join(l.root, l.name) }

func (l rootedPath) child(name string) rootedPath {
	return rootedPath{l.root, filepath.Join(l.name, name)}
}

// open opens the file, and follows no link out of the root. Another process may put a link there at any time, so a path that was
// checked is worth nothing. It does not wait for what writes to a pipe.
func (l rootedPath) open() (*os.File, fs.FileInfo, error) {
	root, err := os.OpenRoot(l.root)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	f, err := root.OpenFile(l.name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// info is about the file itself, or the link.
func (l rootedPath) info() (fs.FileInfo, error) {
	root, err := os.OpenRoot(l.root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Lstat(l.name)
}

// read reads a plain file.
func (l rootedPath) read(limit int64) ([]byte, error) {
	f, info, err := l.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no plain file")
	}
	return io.ReadAll(limits.NewReader(f, limit))
}

// list reads the names in a directory, in Helm's order.
func (l rootedPath) list() ([]string, error) {
	f, _, err := l.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}
