package chart

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// contentsOf returns the time, the mode and the content of each file below a directory.
func contentsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content := ""
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = string(data)
		}
		found[path] = fmt.Sprint(info.ModTime(), info.Mode(), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestLoadWritesNothingIntoACheckout(t *testing.T) {
	srv := serve(t, "redis 1.0.0")
	remote := `{name: redis, version: "^1", repository: "` + srv.URL + `"}`
	for name, c := range map[string]struct {
		dependencies string
		prepare      func(t *testing.T, checkout, app string)
		want         string
	}{
		"a remote dependency":  {remote, nil, "redis 1.0.0"},
		"a chart beside it":    {`{name: common, version: ">=0", repository: "file://../common"}`, nil, "common 0.1.0"},
		"a chart further away": {`{name: far, version: ">=0", repository: "file://../../lib/far/"}`, nil, "far 0.1.0"},
		"a chart within it":    {`{name: sub, version: ">=0", repository: "file://deps/sub"}`, nil, "sub 0.1.0"},
		"an ignored one within it": {`{name: sub, version: ">=0", repository: "file://./deps/sub"}`,
			func(t *testing.T, _, app string) { charttest.Write(t, filepath.Join(app, ".helmignore"), "deps/\n") }, "sub 0.1.0"},
		"the chart around it": {`{name: around, version: ">=0", repository: "file://../.."}`,
			func(t *testing.T, checkout, _ string) {
				charttest.Write(t, filepath.Join(checkout, "Chart.yaml"), "apiVersion: v2\nname: around\nversion: 0.1.0\n")
			}, "around 0.1.0"},
		"a chart behind a link": {`{name: common, version: ">=0", repository: "file://../linked"}`,
			func(t *testing.T, checkout, app string) {
				if err := os.Symlink(filepath.Join(checkout, "charts", "common"), filepath.Join(app, "..", "linked")); err != nil {
					t.Fatal(err)
				}
			}, "common 0.1.0"},
		"all at once": {remote + `, {name: common, version: ">=0", repository: "file://../common"}`, nil, "common 0.1.0, redis 1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			checkout := t.TempDir()
			charttest.WriteChart(t, filepath.Join(checkout, "charts"), "common", "0.1.0", "")
			charttest.WriteChart(t, filepath.Join(checkout, "lib"), "far", "0.1.0", "")
			app := charttest.WriteChart(t, filepath.Join(checkout, "charts"), "app", "1.0.0", "dependencies: ["+c.dependencies+"]")
			charttest.WriteChart(t, filepath.Join(app, "deps"), "sub", "0.1.0", "")
			if c.prepare != nil {
				c.prepare(t, checkout, app)
			}
			before := contentsOf(t, checkout)
			loaded, err := newStore(t).Load(t.Context(), release.Chart{Path: app})
			if err != nil {
				t.Fatal(err)
			}
			if got := names(loaded); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if diff := cmp.Diff(before, contentsOf(t, checkout)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestACopyHasTheLockedVersions(t *testing.T) {
	srv := serve(t, "redis 1.0.0")
	root := t.TempDir()
	charttest.WriteChart(t, root, "common", "0.1.0", "")
	app := charttest.WriteChart(t, root, "app", "1.0.0", `dependencies: [{name: redis, version: "^1", repository: "`+srv.URL+`"}, {name: common, version: ">=0", repository: "file://../common"}]`)
	if err := newStore(t).BuildDependencies(t.Context(), app, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(app, "charts")); err != nil {
		t.Fatal(err)
	}
	charttest.Package(t, srv.dir, "redis", "1.9.0")
	srv.index(t)
	loaded, err := newStore(t).Load(t.Context(), release.Chart{Path: app})
	if err != nil || names(loaded) != "common 0.1.0, redis 1.0.0" {
		t.Fatal(loaded, err)
	}
	if _, err := os.Stat(filepath.Join(app, "charts")); err == nil {
		t.Error("charts/ was made in the checkout")
	}
	lock := filepath.Join(app, "Chart.lock")
	content, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	charttest.Write(t, lock, strings.Replace(string(content), "digest: sha256:", "digest: sha256:0", 1))
	_, err = newStore(t).Load(t.Context(), release.Chart{Path: app})
	charttest.ExpectError(t, err, "out of sync", app)
}

func TestACopyIsMadeOnce(t *testing.T) {
	srv := serve(t, "redis 1.0.0")
	app := charttest.WriteChart(t, t.TempDir(), "app", "1.0.0", `dependencies: [{name: redis, version: "^1", repository: "`+srv.URL+`"}]`)
	s := newStore(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Load(t.Context(), release.Chart{Path: app}); err != nil {
				t.Error(err)
			}
			if _, err := s.Identity(t.Context(), release.Chart{Path: app}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if copies, _ := filepath.Glob(filepath.Join(s.dir, "built-*")); len(copies) != 1 {
		t.Errorf("made %d copies", len(copies))
	}
	srv.expectRequests(t, map[string]int{"/index.yaml": 1, "/redis-1.0.0.tgz": 1})
}

func TestAnErrorNamesTheChartAndNotItsCopy(t *testing.T) {
	app := charttest.WriteChart(t, t.TempDir(), "app", "1.0.0", `dependencies: [{name: redis, version: "1"}]`)
	s := newStore(t)
	_, err := s.Load(t.Context(), release.Chart{Path: app})
	charttest.ExpectError(t, err, app)
	if strings.Contains(err.Error(), s.dir) {
		t.Error(err)
	}
}
