package files

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/helmfile/helmfile/pkg/filesystem"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/unsupported"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// maxFile is the largest file that helmfile may read.
const maxFile = 64 << 20

// Repository reads files for helmfile, only those of the repository. The kernel refuses other files too, if it can; this type returns
// readable errors.
type Repository struct {
	roots  sandbox.Roots
	onRead func(path string)
	// contents maps the base name of a file to its content as it was last read.
	contents sync.Map
}

// NewRepository returns a Repository that allows paths below the roots. It calls onRead after it has read a file, before helmfile gets it.
func NewRepository(roots sandbox.Roots, onRead func(path string)) *Repository {
	return &Repository{roots: roots, onRead: onRead}
}

// FileSystem returns what helmfile and its template functions use to read files.
func (r *Repository) FileSystem() *filesystem.FileSystem {
	real := filesystem.DefaultFileSystem()
	inside := func(path string) bool { return r.roots.Check(path) == nil }
	guarded := *real
	guarded.ReadFile = r.ReadFile
	guarded.ReadDir = func(path string) ([]fs.DirEntry, error) {
		if err := r.roots.Check(path); err != nil {
			return nil, err
		}
		return real.ReadDir(path)
	}
	guarded.Stat = func(path string) (os.FileInfo, error) {
		if !inside(path) {
			return nil, &fs.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
		}
		return real.Stat(path)
	}
	guarded.FileExists = func(path string) (bool, error) {
		if !inside(path) {
			return false, nil
		}
		return real.FileExists(path)
	}
	guarded.FileExistsAt = func(path string) bool { return inside(path) && real.FileExistsAt(path) }
	guarded.DirectoryExistsAt = func(path string) bool { return inside(path) && real.DirectoryExistsAt(path) }
	return &guarded
}

// ReadFile reads a file of the repository. It refuses a file that names a binary or runs a command.
func (r *Repository) ReadFile(path string) ([]byte, error) {
	if err := r.CheckFile(path); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := unsupported.InFile(path, string(content)); err != nil {
		return nil, err
	}
	r.onRead(path)
	r.contents.Store(filepath.Base(path), string(content))
	return content, nil
}

// LastRead returns the content of the file with this base name that was read last; empty if there is none.
func (r *Repository) LastRead(name string) string {
	content, _ := r.contents.Load(name)
	text, _ := content.(string)
	return text
}

// Check refuses a path outside of the repository.
func (r *Repository) Check(path string) error { return r.roots.Check(path) }

// CheckFile also refuses a file that is too large, and devices and pipes, whose size is unknown.
func (r *Repository) CheckFile(path string) error {
	if err := r.roots.Check(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.Mode().IsRegular() && info.Size() > maxFile:
		return fmt.Errorf("%s has %d bytes, but a helmfile may only read files of up to %d bytes", path, info.Size(), maxFile)
	case !info.Mode().IsRegular() && !info.IsDir():
		return fmt.Errorf("%s is neither a regular file nor a directory", path)
	}
	return nil
}
