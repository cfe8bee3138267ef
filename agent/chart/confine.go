package chart

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
)

// Confine makes the store, and stores that join its directory later, read local charts only below these directories and below
// its own. Helm's loader follows links to any file that the process can read, and files of a chart end up in the cluster.
func (s *Store) Confine(roots ...string) error {
	var real []string
	for _, root := range append(roots, s.dir) {
		resolved, err := realPath(root)
		if err != nil {
			return fmt.Errorf("confine charts to %s: %w", root, err)
		}
		real = append(real, resolved)
	}
	s.mu.Lock()
	s.roots = real
	s.mu.Unlock()
	return s.writeRules()
}

func realPath(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

func (s *Store) confined() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.roots) > 0
}

// place is a file or directory below one of the store's roots.
type place struct{ root, name string }

func (p place) path() string { return filepath.Join(p.root, p.name) }

func (p place) child(name string) place { return place{p.root, filepath.Join(p.name, name)} }

// open opens the file, and follows no link out of the root. Another process may put a link there at any time, so a path that was
// checked is worth nothing. It does not wait for what writes to a pipe.
func (p place) open() (*os.File, fs.FileInfo, error) {
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
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// info is about the file itself, or the link.
func (p place) info() (fs.FileInfo, error) {
	root, err := os.OpenRoot(p.root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.Lstat(p.name)
}

// read reads a plain file.
func (p place) read(limit int64) ([]byte, error) {
	f, info, err := p.open()
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
func (p place) list() ([]string, error) {
	f, _, err := p.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

// locateFile says where a path leads, and refuses one that leads out of the store's roots.
func (s *Store) locateFile(path string) (place, error) {
	s.mu.Lock()
	roots := s.roots
	s.mu.Unlock()
	real, err := realPath(path)
	if err != nil {
		return place{}, err
	}
	if len(roots) == 0 {
		roots = []string{filepath.Dir(real)}
	}
	for _, root := range roots {
		if name, err := filepath.Rel(root, real); err == nil && filepath.IsLocal(name) {
			return place{root, name}, nil
		}
	}
	return place{}, fmt.Errorf("%s leads to %s, which is outside of the repository: move it into the repository", path, real)
}

// readFile reads a file below the store's roots once.
func (s *Store) readFile(path string, limit int64) ([]byte, error) {
	at, err := s.locateFile(path)
	if err != nil {
		return nil, err
	}
	return at.read(limit)
}
