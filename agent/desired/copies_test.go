package desired

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// chartOf returns a function that writes a chart with this number of bytes.
func chartOf(size int64) func(string) (string, error) {
	return func(into string) (string, error) {
		file := filepath.Join(into, "web", "Chart.yaml")
		return filepath.Dir(file), errors.Join(os.Mkdir(filepath.Dir(file), 0o700), os.WriteFile(file, nil, 0o600), os.Truncate(file, size))
	}
}

func entries(t *testing.T, dir string) int {
	t.Helper()
	list, err := os.ReadDir(dir)
	check(t, err)
	return len(list)
}

func TestOneCopyForEachChart(t *testing.T) {
	c := newChartCopies(filepath.Join(t.TempDir(), "copies"))
	var group sync.WaitGroup
	paths := make([]string, 50)
	for i := range paths {
		group.Go(func() { paths[i], _ = c.get("web", false, chartOf(1)) })
	}
	group.Wait()
	for _, path := range paths {
		if path == "" || path != paths[0] {
			t.Errorf("got %q and %q", path, paths[0])
		}
	}
	if n := entries(t, c.dir); n != 1 {
		t.Errorf("got %d copies", n)
	}
	again, err := c.get("web", true, chartOf(1))
	check(t, err)
	if n := entries(t, c.dir); n != 1 || again == paths[0] {
		t.Errorf("a new copy does not replace the old one: %d copies, %s", n, again)
	}
	check(t, c.remove())
	if _, err := os.Stat(c.dir); !os.IsNotExist(err) {
		t.Errorf("the copies were not removed: %v", err)
	}
}

func TestCopiesAreBounded(t *testing.T) {
	refused := func(err error, want string) {
		t.Helper()
		if exit.Of(err) != exit.DesiredInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	c := newChartCopies(filepath.Join(t.TempDir(), "copies"))
	for i := range 2 {
		_, err := c.get(fmt.Sprint(i), false, chartOf(maxCopyBytes/2))
		check(t, err)
	}
	_, err := c.get("one more", false, chartOf(1))
	refused(err, "more than 128 MiB")
	if n := entries(t, c.dir); n != 2 {
		t.Errorf("the refused copy was not removed: %d copies", n)
	}
	_, err = c.get("1", true, chartOf(maxCopyBytes/2))
	check(t, err)

	c = newChartCopies(filepath.Join(t.TempDir(), "copies"))
	for range maxCopies {
		_, err := c.get("the same", true, chartOf(1))
		check(t, err)
	}
	_, err = c.get("another", false, chartOf(1))
	refused(err, "more than 1000")
}

// TestAFailedCopyIsTriedAgain also checks that a failed copy leaves no files.
func TestAFailedCopyIsTriedAgain(t *testing.T) {
	c := newChartCopies(filepath.Join(t.TempDir(), "copies"))
	if _, err := c.get("web", false, func(string) (string, error) { return "", errors.New("no such chart") }); err == nil || entries(t, c.dir) != 0 {
		t.Errorf("got %v", err)
	}
	if _, err := c.get("web", false, chartOf(1)); err != nil {
		t.Error(err)
	}
}
