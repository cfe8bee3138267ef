package chart

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// swapFor is how long a file and a link are exchanged for each other.
const swapFor = 3 * time.Second

// swap exchanges a path for a link and back until the test ends.
func swap(t *testing.T, name, target string, restore func()) {
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

// TestNoLinkThatAppearsIsFollowed: the loader may write to the checkout while the agent reads it.
func TestNoLinkThatAppearsIsFollowed(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, chart, outside string){
		"a file": func(t *testing.T, chart, outside string) {
			swap(t, filepath.Join(chart, "files", "token"), filepath.Join(outside, "token"), func() {
				_ = os.WriteFile(filepath.Join(chart, "files", "token"), []byte("ok"), 0o600)
			})
		},
		"a directory": func(t *testing.T, chart, outside string) {
			swap(t, filepath.Join(chart, "files"), outside, func() {
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
			for end := time.Now().Add(swapFor); time.Now().Before(end); {
				c, err := s.files.LoadDirectory(chart)
				if err != nil {
					continue // it says that the link leads out, or that the file is gone
				}
				for _, file := range c.Raw {
					if strings.Contains(string(file.Data), "CANARY") {
						t.Fatalf("%s has what lies outside", file.Name)
					}
				}
				copied, err := s.BuildCopy(t.Context(), chart, t.TempDir(), false)
				if err != nil {
					continue
				}
				if data, _ := os.ReadFile(filepath.Join(copied, "files", "token")); strings.Contains(string(data), "CANARY") {
					t.Fatal("the copy has what lies outside")
				}
				if err := os.RemoveAll(copied); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestNoArchiveThatAppearsIsRead(t *testing.T) {
	s, repository, outside := confined(t)
	file, other := filepath.Join(repository, "web.tgz"), charttest.Package(t, outside, "secret", "1.0.0")
	good, err := os.ReadFile(charttest.Package(t, t.TempDir(), "web", "1.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	swap(t, file, other, func() { _ = os.WriteFile(file, good, 0o600) })
	for end := time.Now().Add(swapFor); time.Now().Before(end); {
		c, err := s.Load(t.Context(), release.Chart{Path: file})
		if err == nil && c.Name() != "web" {
			t.Fatalf("the agent read the chart %s outside of the repository", c.Name())
		}
	}
}

// TestAPlaceStaysBelowItsRoot exchanges what was found for something else before it is read.
func TestAPlaceStaysBelowItsRoot(t *testing.T) {
	for name, exchange := range map[string]func(t *testing.T, repository, outside string){
		"the file for a link": func(t *testing.T, repository, outside string) {
			charttest.Link(t, filepath.Join(outside, "token"), filepath.Join(repository, "a", "token"))
		},
		"the file for a link with dots": func(t *testing.T, repository, outside string) {
			up, _ := filepath.Rel(filepath.Join(repository, "a"), outside)
			charttest.Link(t, filepath.Join(up, "token"), filepath.Join(repository, "a", "token"))
		},
		"its directory for a link": func(t *testing.T, repository, outside string) {
			charttest.Link(t, outside, filepath.Join(repository, "a"))
		},
		"the file for a directory": func(t *testing.T, repository, _ string) {
			if err := os.MkdirAll(filepath.Join(repository, "a", "token"), 0o700); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, repository, outside := confined(t)
			charttest.Write(t, filepath.Join(outside, "token"), "CANARY")
			charttest.Write(t, filepath.Join(repository, "a", "token"), "ok")
			at, err := s.files.locate(filepath.Join(repository, "a", "token"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(repository, "a")); err != nil {
				t.Fatal(err)
			}
			exchange(t, repository, outside)
			if data, err := at.read(1 << 20); err == nil {
				t.Errorf("read %q", data)
			}
		})
	}
}

// TestADirectoryIsReadAsHelmReadsIt compares with Helm's own loader, which is for directories that nothing else writes to.
func TestADirectoryIsReadAsHelmReadsIt(t *testing.T) {
	dir := charttest.WriteChart(t, t.TempDir(), "web", "1.0.0", "")
	shared := filepath.Join(filepath.Dir(dir), "shared")
	for name, content := range map[string]string{
		".helmignore":                 "\xef\xbb\xbf# comment\nignored/\n*.bak\n/top.txt\nlinked/b.txt\n",
		"ignored/secret":              "s",
		"a.bak":                       "bak",
		"top.txt":                     "t",
		"files/top.txt":               "kept",
		"values.yaml":                 "\xef\xbb\xbfa: 1\n",
		"templates/.hidden.yaml":      "h",
		"templates/deep/er/_help.tpl": "x",
		"charts/sub/Chart.yaml":       "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
		"charts/sub/.helmignore":      "x",
		"charts/_notes.md":            "x",
		"crds/a.yaml":                 "x",
	} {
		charttest.Write(t, filepath.Join(dir, name), content)
	}
	charttest.Write(t, filepath.Join(shared, "a.txt"), "a")
	charttest.Write(t, filepath.Join(shared, "b.txt"), "b")
	charttest.Link(t, "../shared", filepath.Join(dir, "linked"))
	charttest.Link(t, "../shared/a.txt", filepath.Join(dir, "one.txt"))
	charttest.Package(t, filepath.Join(dir, "charts"), "db", "2.0.0")
	for _, ignored := range []bool{true, false} {
		if !ignored {
			if err := os.Remove(filepath.Join(dir, ".helmignore")); err != nil {
				t.Fatal(err)
			}
		}
		want, err := loader.LoadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := newStore(t).files.LoadDirectory(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Raw) != len(want.Raw) || names(got) != names(want) || len(got.Raw) < 3 {
			t.Fatalf("got %d files, want %d", len(got.Raw), len(want.Raw))
		}
		for i, file := range want.Raw {
			if got.Raw[i].Name != file.Name || string(got.Raw[i].Data) != string(file.Data) {
				t.Errorf("got %s, want %s", got.Raw[i].Name, file.Name)
			}
		}
	}
}

func TestNoPlainFile(t *testing.T) {
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
	charttest.ExpectError(t, err, "no plain file")
}
