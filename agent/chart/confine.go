package chart

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
)

// maxLinked bounds what links of one chart lead to: links that lead to links could make a small directory endless.
const maxLinked = 10_000

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

// loadDir is the only way to load a chart directory. It looks at the names in the directory first; only links and archives
// cost more than that.
func (s *Store) loadDir(dir string) (*helmchart.Chart, error) {
	if err := s.checkDir(dir); err != nil {
		return nil, err
	}
	return loader.LoadDir(dir)
}

// checkPath refuses a path that leads out of the store's roots, and returns where it leads.
func (s *Store) checkPath(path string) (string, error) {
	s.mu.Lock()
	roots := s.roots
	s.mu.Unlock()
	real, err := realPath(path)
	if err != nil || len(roots) == 0 {
		return real, err
	}
	inside := func(root string) bool {
		rest, err := filepath.Rel(root, real)
		return err == nil && filepath.IsLocal(rest)
	}
	if !slices.ContainsFunc(roots, inside) {
		return "", fmt.Errorf("%s leads to %s, which is outside of the repository: move it into the repository", path, real)
	}
	return real, nil
}

func (s *Store) checkDir(dir string) error {
	real, err := s.checkPath(dir)
	if err != nil {
		return err
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return err // Helm says that it is no directory
	}
	w := linkWalk{s: s, top: dir}
	return w.dir(dir, []string{real})
}

// linkWalk visits a chart directory as Helm's loader does.
type linkWalk struct {
	s      *Store
	top    string
	linked int // entries that were reached through a link
}

// dir checks the entries of a directory. within are the real paths of the directory that was linked to last and of all before.
func (w *linkWalk) dir(dir string, within []string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if len(within) > 1 {
			w.linked++
		}
		if w.linked > maxLinked {
			return fmt.Errorf("links in %s lead to more than %d files: copy what the chart needs into it", w.top, maxLinked)
		}
		if err := w.entry(filepath.Join(dir, e.Name()), e, within); err != nil {
			return err
		}
	}
	return nil
}

func (w *linkWalk) entry(path string, e os.DirEntry, within []string) error {
	switch {
	case e.IsDir():
		return w.dir(path, within)
	case e.Type()&os.ModeSymlink == 0:
		return w.file(path)
	}
	real, err := w.s.checkPath(path)
	if err != nil {
		return fmt.Errorf("the link %s: %w", path, err)
	}
	info, err := os.Stat(real)
	if err != nil || !info.IsDir() {
		return errors.Join(err, w.file(path))
	}
	if parent, err := realPath(filepath.Dir(path)); err != nil || parent == real || strings.HasPrefix(parent, real+string(filepath.Separator)) || slices.Contains(within, real) {
		return errors.Join(err, fmt.Errorf("the link %s leads back to a directory that it lies in: remove it", path))
	}
	return w.dir(path, append(slices.Clone(within), real))
}

// file checks the archives among the files, because Helm loads them as dependencies.
func (w *linkWalk) file(path string) error {
	name, err := filepath.Rel(w.top, path)
	if err != nil || !nestedArchive.MatchString(filepath.ToSlash(name)) {
		return err
	}
	return w.s.checkLocalArchive(path)
}
