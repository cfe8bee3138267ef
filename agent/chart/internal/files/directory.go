package files

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

// The limits of files behind symbolic links in one chart. Links to directories with more links can make a small directory very large.
const (
	maxLinked     = 10_000
	maxLinkedSize = 100 << 20
)

// LoadDirectory loads a chart directory. Use only this function: it reads each file once, because another process may change it.
func (r *Reader) LoadDirectory(dir string) (*helmchart.Chart, error) {
	files, err := r.ReadDirectory(dir)
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
}

// ReadDirectory reads the files that Helm would read of a chart directory.
func (r *Reader) ReadDirectory(dir string) ([]*loader.BufferedFile, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	at, err := r.locate(dir)
	if err != nil {
		return nil, err
	}
	d := directoryReader{reader: r, top: dir, rules: ignore.Empty()}
	if err := d.readRules(); err != nil {
		return nil, err
	}
	d.rules.AddDefaults()
	if err := d.readDirectory(entry{at: at, parents: []string{at.path()}}); err != nil {
		return nil, err
	}
	return d.files, nil
}

// directoryReader reads a chart directory as Helm's loader does: in the same order, with the same rules, and through links.
type directoryReader struct {
	reader     *Reader
	top        string
	rules      *ignore.Rules
	files      []*loader.BufferedFile
	linked     int   // the number of entries behind links
	linkedSize int64 // the bytes of these entries
}

// entry is a file or directory of the chart.
type entry struct {
	at      rootedPath
	name    string   // in the chart
	parents []string // the real paths of the chart directory and of the linked directories that lead to the entry
}

func (e entry) viaLink() bool { return len(e.parents) > 1 }

// path is the path of a file of the chart.
func (d *directoryReader) path(name string) string {
	return filepath.Join(d.top, filepath.FromSlash(name))
}

func (d *directoryReader) readRules() error {
	data, err := d.reader.Read(d.path(ignore.HelmIgnore), loader.MaxDecompressedFileSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		d.rules, err = ignore.Parse(bytes.NewReader(data))
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", ignore.HelmIgnore, err)
	}
	return nil
}

func (d *directoryReader) readDirectory(e entry) error {
	if strings.Count(e.name, "/") >= limits.PathElements {
		return fmt.Errorf("%s is nested more than %d directories deep", d.path(e.name), limits.PathElements)
	}
	names, err := e.at.list()
	if err != nil {
		return fmt.Errorf("read %s: %w", d.path(e.name), err)
	}
	for _, name := range names {
		child := entry{at: e.at.child(name), name: path.Join(e.name, name), parents: e.parents}
		if err := d.readEntry(child); err != nil {
			return err
		}
	}
	return nil
}

func (d *directoryReader) readEntry(e entry) error {
	info, err := e.at.info()
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		e, info, err = d.follow(e)
	}
	if err != nil {
		return err
	}
	if d.rules.Ignore(e.name, info) {
		return nil
	}
	if e.viaLink() {
		d.linked++
	}
	if d.linked > maxLinked {
		return fmt.Errorf("links in %s lead to more than %d files: copy what the chart needs into it", d.top, maxLinked)
	}
	switch {
	case info.IsDir():
		return d.readDirectory(e)
	case !info.Mode().IsRegular():
		return fmt.Errorf("cannot load irregular file %s as it has file mode type bits set", d.path(e.name))
	}
	return d.readFile(e)
}

// follow finds the target of a link. A link to a directory above it is refused, because reading it would never end.
func (d *directoryReader) follow(e entry) (entry, fs.FileInfo, error) {
	link, parent := d.path(e.name), filepath.Dir(e.at.path())
	at, err := d.reader.locate(link)
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
	if parent == real || strings.HasPrefix(parent, real+string(filepath.Separator)) || slices.Contains(e.parents, real) {
		return e, nil, fmt.Errorf("the link %s leads back to a directory above it: remove the link", link)
	}
	e.parents = append(slices.Clone(e.parents), real)
	return e, info, nil
}

// readFile reads a file, and checks it if Helm loads it as a dependency.
func (d *directoryReader) readFile(e entry) error {
	data, err := e.at.read(loader.MaxDecompressedFileSize)
	if err != nil {
		return fmt.Errorf("read %s: %w", d.path(e.name), err)
	}
	if e.viaLink() {
		d.linkedSize += int64(len(data))
	}
	if d.linkedSize > maxLinkedSize {
		return fmt.Errorf("links in %s lead to more than %d MiB: copy what the chart needs into it", d.top, maxLinkedSize>>20)
	}
	if archive.IsDependency(e.name) {
		if err := d.reader.checkArchive(data); err != nil {
			return fmt.Errorf("%s: %w", d.path(e.name), err)
		}
	}
	d.files = append(d.files, &loader.BufferedFile{Name: e.name, Data: bytes.TrimPrefix(data, utf8BOM)})
	return nil
}

var utf8BOM = []byte{0xEF, 0xBB, 0xBF}
