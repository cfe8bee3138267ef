package chart

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/archive"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
)

// The limits of what links of one chart lead to: links that lead to links could make a small directory endless.
const (
	maxLinked     = 10_000
	maxLinkedSize = 100 << 20
)

// loadDir is the only way to load a chart directory. It reads each file once, and what it read is what counts.
func (s *Store) loadDir(dir string) (*helmchart.Chart, error) {
	files, err := s.readDir(dir)
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
}

// readDir reads the files that Helm would read of a chart directory.
func (s *Store) readDir(dir string) ([]*loader.BufferedFile, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	at, err := s.locateFile(dir)
	if err != nil {
		return nil, err
	}
	r := dirReader{s: s, top: dir, rules: ignore.Empty()}
	if err := r.readRules(); err != nil {
		return nil, err
	}
	r.rules.AddDefaults()
	if err := r.dir(entry{at: at, within: []string{at.path()}}); err != nil {
		return nil, err
	}
	return r.files, nil
}

// dirReader reads a chart directory as Helm's loader does: in the same order, with the same rules, and through links.
type dirReader struct {
	s          *Store
	top        string
	rules      *ignore.Rules
	files      []*loader.BufferedFile
	linked     int   // entries that were reached through a link
	linkedSize int64 // bytes that were
}

// entry is a file or directory of the chart.
type entry struct {
	at     place
	name   string   // within the chart
	within []string // the real paths of the directory that was linked to last and of all before
}

func (e entry) viaLink() bool { return len(e.within) > 1 }

func (r *dirReader) path(name string) string { return filepath.Join(r.top, filepath.FromSlash(name)) }

func (r *dirReader) readRules() error {
	data, err := r.s.readFile(r.path(ignore.HelmIgnore), loader.MaxDecompressedFileSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		r.rules, err = ignore.Parse(bytes.NewReader(data))
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", ignore.HelmIgnore, err)
	}
	return nil
}

func (r *dirReader) dir(e entry) error {
	if strings.Count(e.name, "/") >= limits.PathElements {
		return fmt.Errorf("%s is nested more than %d directories deep", r.path(e.name), limits.PathElements)
	}
	names, err := e.at.list()
	if err != nil {
		return fmt.Errorf("read %s: %w", r.path(e.name), err)
	}
	for _, name := range names {
		child := entry{at: e.at.child(name), name: path.Join(e.name, name), within: e.within}
		if err := r.entry(child); err != nil {
			return err
		}
	}
	return nil
}

func (r *dirReader) entry(e entry) error {
	info, err := e.at.info()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		e, info, err = r.follow(e)
	}
	if err != nil {
		return err
	}
	if r.rules.Ignore(e.name, info) {
		return nil
	}
	if e.viaLink() {
		r.linked++
	}
	if r.linked > maxLinked {
		return fmt.Errorf("links in %s lead to more than %d files: copy what the chart needs into it", r.top, maxLinked)
	}
	switch {
	case info.IsDir():
		return r.dir(e)
	case !info.Mode().IsRegular():
		return fmt.Errorf("cannot load irregular file %s as it has file mode type bits set", r.path(e.name))
	}
	return r.file(e)
}

// follow says where a link leads. A directory that the link lies in would be read without end.
func (r *dirReader) follow(e entry) (entry, fs.FileInfo, error) {
	link, parent := r.path(e.name), filepath.Dir(e.at.path())
	at, err := r.s.locateFile(link)
	if err != nil {
		return e, nil, fmt.Errorf("the link %s: %w", link, err)
	}
	info, err := at.info()
	if err != nil {
		return e, nil, fmt.Errorf("the link %s: %w", link, err)
	}
	e.at = at
	real := at.path()
	if !info.IsDir() {
		return e, info, nil
	}
	if parent == real || strings.HasPrefix(parent, real+string(filepath.Separator)) || slices.Contains(e.within, real) {
		return e, nil, fmt.Errorf("the link %s leads back to a directory that it lies in: remove it", link)
	}
	e.within = append(slices.Clone(e.within), real)
	return e, info, nil
}

// file reads a file, and checks it if Helm loads it as a dependency.
func (r *dirReader) file(e entry) error {
	data, err := e.at.read(loader.MaxDecompressedFileSize)
	if err != nil {
		return fmt.Errorf("read %s: %w", r.path(e.name), err)
	}
	if e.viaLink() {
		r.linkedSize += int64(len(data))
	}
	if r.linkedSize > maxLinkedSize {
		return fmt.Errorf("links in %s lead to more than %d MiB: copy what the chart needs into it", r.top, maxLinkedSize>>20)
	}
	if archive.IsDependency(e.name) {
		if err := r.s.checkArchive(data); err != nil {
			return fmt.Errorf("%s: %w", r.path(e.name), err)
		}
	}
	r.files = append(r.files, &loader.BufferedFile{Name: e.name, Data: bytes.TrimPrefix(data, utf8BOM)})
	return nil
}

var utf8BOM = []byte{0xEF, 0xBB, 0xBF}
