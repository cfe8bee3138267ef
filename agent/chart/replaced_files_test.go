package chart

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// replaceFor is how long a test replaces files.
const replaceFor = 3 * time.Second

// replaceRepeatedly replaces a path by a link and restores it, until the test ends.
func replaceRepeatedly(t *testing.T, name, target string, restore func()) {
	t.Helper()
	stop := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.RemoveAll(name)
			_ = os.Symlink(target, name)
			_ = os.Remove(name)
			restore()
		}
	})
	t.Cleanup(func() {
		close(stop)
		ended.Wait()
	})
}

// TestALinkThatAppearsDuringAReadIsNotFollowed: the loader may write to the checkout while the agent reads it.
func TestALinkThatAppearsDuringAReadIsNotFollowed(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, chart, outside string){
		"a file": func(t *testing.T, chart, outside string) {
			replaceRepeatedly(t, filepath.Join(chart, "files", "token"), filepath.Join(outside, "token"), func() {
				_ = os.WriteFile(filepath.Join(chart, "files", "token"), []byte("ok"), 0o600)
			})
		},
		"a directory": func(t *testing.T, chart, outside string) {
			replaceRepeatedly(t, filepath.Join(chart, "files"), outside, func() {
				_ = os.Mkdir(filepath.Join(chart, "files"), 0o700)
				_ = os.WriteFile(filepath.Join(chart, "files", "token"), []byte("ok"), 0o600)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, repository, outside := confined(t)
			chart := charttest.WriteChart(t, repository, "web", "1.0.0", "")
			charttest.Write(t, filepath.Join(chart, "files", "token"), "ok")
			charttest.Write(t, filepath.Join(outside, "token"), "CANARY")
			prepare(t, chart, outside)
			for end := time.Now().Add(replaceFor); time.Now().Before(end); {
				c, err := s.dependencies.Load(chart)
				if err != nil {
					continue // the link leads out of the repository, or the file does not exist at this moment
				}
				for _, file := range c.Raw {
					if strings.Contains(string(file.Data), "CANARY") {
						t.Fatalf("%s has the content of the file outside", file.Name)
					}
				}
				copied, err := s.BuildCopy(t.Context(), chart, t.TempDir(), false)
				if err != nil {
					continue
				}
				if data, _ := os.ReadFile(filepath.Join(copied, "files", "token")); strings.Contains(string(data), "CANARY") {
					t.Fatal("the copy has the content of the file outside")
				}
				if err := os.RemoveAll(copied); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestAnArchiveThatAppearsDuringAReadIsNotRead(t *testing.T) {
	s, repository, outside := confined(t)
	file, other := filepath.Join(repository, "web.tgz"), charttest.Package(t, outside, "secret", "1.0.0")
	good, err := os.ReadFile(charttest.Package(t, t.TempDir(), "web", "1.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	replaceRepeatedly(t, file, other, func() { _ = os.WriteFile(file, good, 0o600) })
	for end := time.Now().Add(replaceFor); time.Now().Before(end); {
		c, err := s.Load(t.Context(), release.Chart{Path: file})
		if err == nil && c.Name() != "web" {
			t.Fatalf("the agent read the chart %s outside of the repository", c.Name())
		}
	}
}

func TestIrregularFilesAreRefused(t *testing.T) {
	s, repository, _ := confined(t)
	dir := charttest.WriteChart(t, repository, "web", "1.0.0", "")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.Load(t.Context(), release.Chart{Path: dir})
	charttest.ExpectError(t, err, "irregular file", "pipe")
	charttest.Write(t, filepath.Join(dir, ".helmignore"), "pipe\n")
	if _, err := s.Load(t.Context(), release.Chart{Path: dir}); err != nil {
		t.Error(err)
	}
	_, err = s.Load(t.Context(), release.Chart{Path: filepath.Join(dir, "pipe")})
	charttest.ExpectError(t, err, "not a regular file")
}
