package desired

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Limits of what the agent unpacks for the loader during one load. The directory is often in memory.
const (
	maxCopies    = 1000
	maxCopyBytes = 128 << 20
)

// chartCopies unpacks charts for the loader, each once. It is safe for concurrent use.
type chartCopies struct {
	dir string

	mu    sync.Mutex
	byKey map[string]*chartCopy
	count int   // of all directories that were created, removed ones too
	bytes int64 // in use
}

// chartCopy is one unpacked chart.
type chartCopy struct {
	mu   sync.Mutex
	root string // empty if the chart is not unpacked
	path string // of the chart, below root
	size int64
}

func newChartCopies(dir string) *chartCopies {
	return &chartCopies{dir: dir, byKey: map[string]*chartCopy{}}
}

// get returns the path of the copy with this key. unpack writes a new copy into an empty directory and returns the path of the chart. If
// replace is set, a new copy replaces the existing one.
func (c *chartCopies) get(key string, replace bool, unpack func(into string) (string, error)) (string, error) {
	entry := c.entry(key)
	entry.mu.Lock()
	defer entry.mu.Unlock()
	if entry.root != "" && !replace {
		return entry.path, nil
	}
	if err := c.discard(entry); err != nil {
		return "", err
	}
	root, err := c.newRoot()
	if err != nil {
		return "", err
	}
	path, size, err := c.fill(root, unpack)
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(root))
	}
	entry.root, entry.path, entry.size = root, path, size
	return path, nil
}

// discard removes the files of a copy.
func (c *chartCopies) discard(entry *chartCopy) error {
	if entry.root == "" {
		return nil
	}
	err := os.RemoveAll(entry.root)
	c.addBytes(-entry.size)
	entry.root, entry.size = "", 0
	return err
}

// fill unpacks a chart into a directory, and counts its bytes.
func (c *chartCopies) fill(root string, unpack func(into string) (string, error)) (path string, size int64, err error) {
	if path, err = unpack(root); err != nil {
		return "", 0, err
	}
	if size, err = sizeOf(root); err != nil {
		return "", 0, err
	}
	if c.addBytes(size) > maxCopyBytes {
		c.addBytes(-size)
		return "", 0, copyLimitError("they have more than %d MiB", maxCopyBytes>>20)
	}
	return path, size, nil
}

// entry returns the entry with this key. It is new if there was none.
func (c *chartCopies) entry(key string) *chartCopy {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] == nil {
		c.byKey[key] = &chartCopy{}
	}
	return c.byKey[key]
}

// newRoot creates an empty directory.
func (c *chartCopies) newRoot() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count++; c.count > maxCopies {
		return "", copyLimitError("there are more than %d", maxCopies)
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(c.dir, "chart-")
}

// addBytes adds to the bytes in use and returns their sum.
func (c *chartCopies) addBytes(bytes int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes += bytes
	return c.bytes
}

// remove deletes all copies.
func (c *chartCopies) remove() error { return os.RemoveAll(c.dir) }

func copyLimitError(format string, limit int) error {
	return exit.With(exit.DesiredInvalid, fmt.Errorf("unpack charts while the helmfile loads: "+format+": patch fewer charts, or split the helmfile", limit))
}

// sizeOf returns the size of all files below a directory.
func sizeOf(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
