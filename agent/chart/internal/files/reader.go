package files

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
)

// Reader reads local charts. It is safe for concurrent use.
type Reader struct {
	mu      sync.Mutex
	roots   []string // real paths; none means no limit
	checked sync.Map // the check of each archive, a func() error, by the SHA-256 of its content
}

// New makes a reader of charts below the roots, which are real paths. Without roots it reads every file.
func New(roots []string) *Reader { return &Reader{roots: roots} }

// Confine limits the reader to files below these directories. Helm's loader follows links to any file that the process can read, and
// the files of a chart end up in the cluster.
func (r *Reader) Confine(roots ...string) error {
	var real []string
	for _, root := range roots {
		resolved, err := RealPath(root)
		if err != nil {
			return fmt.Errorf("confine charts to %s: %w", root, err)
		}
		real = append(real, resolved)
	}
	r.mu.Lock()
	r.roots = real
	r.mu.Unlock()
	return nil
}

// Roots are the directories that the reader is limited to; none means no limit.
func (r *Reader) Roots() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.roots)
}

// RealPath is the absolute path without symbolic links.
func RealPath(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

// locate finds the file that a path leads to, and refuses a path that leads out of the roots.
func (r *Reader) locate(path string) (rootedPath, error) {
	roots := r.Roots()
	real, err := RealPath(path)
	if err != nil {
		return rootedPath{}, err
	}
	if len(roots) == 0 {
		roots = []string{filepath.Dir(real)}
	}
	for _, root := range roots {
		if name, err := filepath.Rel(root, real); err == nil && filepath.IsLocal(name) {
			return rootedPath{root, name}, nil
		}
	}
	return rootedPath{}, fmt.Errorf("%s leads to %s, which is outside of the repository: move it into the repository", path, real)
}

// Read reads a file below the roots.
func (r *Reader) Read(path string, limit int64) ([]byte, error) {
	at, err := r.locate(path)
	if err != nil {
		return nil, err
	}
	return at.read(limit)
}
