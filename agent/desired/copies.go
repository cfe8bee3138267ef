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

// What the loader may have the agent unpack during one load. The directory is often in memory.
const (
	maxCopies    = 1000
	maxCopyBytes = 128 << 20
)

// copies are the unpacked charts that the loader asked for, one for each key. It is safe for concurrent use.
type copies struct {
	dir string

	mu    sync.Mutex
	known map[string]*chartCopy
	count int // of directories that were ever made
	bytes int64
}

// chartCopy is one unpacked chart, or the attempt to make it.
type chartCopy struct {
	mu   sync.Mutex
	root string // empty if there is none yet
	path string // of the chart below root
	size int64
}

func newCopies(dir string) *copies { return &copies{dir: dir, known: map[string]*chartCopy{}} }

// get is the copy with that key. make writes it into a new directory and returns the chart's path; afresh replaces an older copy.
func (c *copies) get(key string, afresh bool, make func(into string) (string, error)) (string, error) {
	wanted := c.at(key)
	wanted.mu.Lock()
	defer wanted.mu.Unlock()
	if wanted.root != "" && !afresh {
		return wanted.path, nil
	}
	if wanted.root != "" {
		err := os.RemoveAll(wanted.root)
		c.use(-wanted.size)
		wanted.root, wanted.size = "", 0
		if err != nil {
			return "", err
		}
	}
	root, err := c.newRoot()
	if err != nil {
		return "", err
	}
	path, err := make(root)
	if err == nil {
		wanted.size, err = sizeOf(root)
	}
	if err == nil && c.use(wanted.size) > maxCopyBytes {
		c.use(-wanted.size)
		err = tooMany("they have more than %d MiB", maxCopyBytes>>20)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(root))
	}
	wanted.root, wanted.path = root, path
	return path, nil
}

func (c *copies) at(key string) *chartCopy {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[key] == nil {
		c.known[key] = &chartCopy{}
	}
	return c.known[key]
}

// newRoot is an empty directory.
func (c *copies) newRoot() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count++; c.count > maxCopies {
		return "", tooMany("there are more than %d", maxCopies)
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(c.dir, "chart-")
}

// use adds to the bytes in use and returns their sum.
func (c *copies) use(bytes int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes += bytes
	return c.bytes
}

// remove deletes all copies.
func (c *copies) remove() error { return os.RemoveAll(c.dir) }

func tooMany(format string, limit int) error {
	return exit.With(exit.DesiredInvalid, fmt.Errorf("unpack charts while the helmfile loads: "+format+": patch fewer charts, or split the helmfile", limit))
}

// sizeOf is the size of all files below a directory.
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
