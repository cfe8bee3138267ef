package loader

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/helmfile/helmfile/pkg/filesystem"
)

// maxFile bounds one file that a helmfile reads; a device has no size, and is refused.
const maxFile = 64 << 20

// fileSystem is how helmfile and its template functions reach files: those of the repository only. The kernel refuses others too,
// where it can; this says so in words.
func (l *loader) fileSystem() *filesystem.FileSystem {
	own := filesystem.DefaultFileSystem()
	within := l.req.roots.Check
	guarded := *own
	guarded.ReadFile = l.readFile
	guarded.ReadDir = func(path string) ([]fs.DirEntry, error) {
		if err := within(path); err != nil {
			return nil, err
		}
		return own.ReadDir(path)
	}
	guarded.Stat = func(path string) (os.FileInfo, error) {
		if err := within(path); err != nil {
			return nil, &fs.PathError{Op: "stat", Path: path, Err: fs.ErrNotExist}
		}
		return own.Stat(path)
	}
	guarded.FileExists = func(path string) (bool, error) {
		if within(path) != nil {
			return false, nil
		}
		return own.FileExists(path)
	}
	guarded.FileExistsAt = func(path string) bool { return within(path) == nil && own.FileExistsAt(path) }
	guarded.DirectoryExistsAt = func(path string) bool { return within(path) == nil && own.DirectoryExistsAt(path) }
	return &guarded
}

var ownBinary = regexp.MustCompile(`(?m)^(helmBinary|kustomizeBinary)[ \t]*:`)

// readFile is how helmfile reads every file. A state's own helmBinary would be run before any override is looked at; the kernel
// refuses that, and this says where it is written.
func (l *loader) readFile(path string) ([]byte, error) {
	if err := l.req.checkFile(path); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if at := ownBinary.FindSubmatchIndex(content); at != nil && isState(content) {
		line := 1 + bytes.Count(content[:at[0]], []byte("\n"))
		return nil, fmt.Errorf("%s:%d: %s is not supported: the agent has Helm and kustomize built in; remove the line",
			path, line, content[at[2]:at[3]])
	}
	if err := refuseCommands(path, string(content)); err != nil {
		return nil, err
	}
	l.req.report.File(l.relative(path))
	l.files.Store(filepath.Base(path), string(content))
	return content, nil
}

// checkFile is why a path must not be read.
func (r request) checkFile(path string) error {
	if err := r.roots.Check(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.Mode().IsRegular() && info.Size() > maxFile:
		return fmt.Errorf("%s has %d bytes, more than the %d that a file of a helmfile may have", path, info.Size(), maxFile)
	case !info.Mode().IsRegular() && !info.IsDir():
		return fmt.Errorf("%s is neither a file nor a directory", path)
	}
	return nil
}
