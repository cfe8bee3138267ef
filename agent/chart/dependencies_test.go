package chart

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func names(c *helmchart.Chart) string {
	var all []string
	for _, d := range c.Dependencies() {
		all = append(all, versionOf(d))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func TestDependencies(t *testing.T) {
	srv := serve(t, "redis 1.0.0", "redis 1.5.0", "redis 2.0.0")
	srv.user, srv.password = "u", "s3cret"
	open := serve(t, "pg 3.0.0")
	at, _ := serveOCI(t, "", "", nil, charttest.Package(t, t.TempDir(), "web", "1.0.0"))
	root := t.TempDir()
	common := charttest.WriteChart(t, root, "common", "0.1.0", "")
	charttest.WriteChart(t, filepath.Join(common, "charts"), "nested", "0.0.1", "")
	app := charttest.WriteChart(t, root, "app", "1.0.0", `dependencies:
- {name: common, version: ">=0", repository: "file://../common"}
- {name: redis, version: "^1", repository: "`+srv.URL+`/"}
- {name: redis, version: "^1", repository: "@private", alias: cache}
- {name: pg, version: "3.0.0", repository: "`+open.URL+`"}
- {name: web, version: "1.x", repository: "oci://`+at+`"}
`)
	s := newStore(t)
	private := *srv.repository()
	private.Name = "private"
	s.AddRepositories(
		release.Repository{Name: "dead", URL: "http://127.0.0.1:1"}, // unused, and therefore harmless
		private,
		release.Repository{Name: "reg", URL: at, OCI: true, PlainHTTP: true})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c, err := s.Load(t.Context(), release.Chart{Path: app})
			if err != nil {
				t.Error(err)
				return
			}
			if got, want := names(c), "common 0.1.0, pg 3.0.0, redis 1.5.0, web 1.0.0"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	wg.Wait()
	srv.expectRequests(t, map[string]int{"/index.yaml": 1, "/redis-1.5.0.tgz": 1})
	open.expectRequests(t, map[string]int{"/index.yaml": 1, "/pg-3.0.0.tgz": 1})
	c, _ := s.Load(t.Context(), release.Chart{Path: app})
	for _, d := range c.Dependencies() {
		if d.Name() == "common" && names(d) != "nested 0.0.1" {
			t.Errorf("common has %q", names(d))
		}
	}
}

func TestSatisfiedDependenciesAreLeftAlone(t *testing.T) {
	root := t.TempDir()
	common := charttest.WriteChart(t, root, "common", "0.1.0", "")
	app := charttest.WriteChart(t, root, "app", "1.0.0", `dependencies: [{name: common, version: "0.1.0", repository: "file://../common"}]`)
	archive := filepath.Join(app, "charts", "common-0.1.0.tgz")
	s := newStore(t)
	build := func() time.Time {
		t.Helper()
		if err := s.BuildDependencies(t.Context(), app, nil); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(archive)
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	first := build()
	if again := build(); !again.Equal(first) {
		t.Error("built again without need")
	}
	charttest.Write(t, filepath.Join(common, "templates", "more.yaml"), "kind: ConfigMap")
	if build().Equal(first) {
		t.Error("not built again though the local dependency changed")
	}
}

func TestLockFile(t *testing.T) {
	srv := serve(t, "redis 1.0.0")
	app := charttest.WriteChart(t, t.TempDir(), "app", "1.0.0", `dependencies: [{name: redis, version: "^1", repository: "`+srv.URL+`"}]`)
	repositories := []release.Repository{*srv.repository()}
	if err := newStore(t).BuildDependencies(t.Context(), app, repositories); err != nil {
		t.Fatal(err)
	}
	charttest.Package(t, srv.dir, "redis", "1.9.0")
	srv.index(t)
	if err := os.RemoveAll(filepath.Join(app, "charts")); err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	expectDependency := func(want string) {
		t.Helper()
		c, err := s.Load(t.Context(), release.Chart{Path: app, SkipDependencies: true})
		if err != nil || names(c) != want {
			t.Errorf("got %v, %v", c, err)
		}
	}
	if err := s.BuildDependencies(t.Context(), app, repositories); err != nil {
		t.Fatal(err)
	}
	expectDependency("redis 1.0.0")
	if err := s.UpdateDependencies(t.Context(), app, repositories); err != nil {
		t.Fatal(err)
	}
	expectDependency("redis 1.9.0")

	charttest.WriteChart(t, filepath.Dir(app), "app", "1.0.0", `dependencies: [{name: redis, version: "^2", repository: "`+srv.URL+`"}]`)
	charttest.ExpectError(t, s.BuildDependencies(t.Context(), app, repositories), "out of sync")
}

func TestDependencyErrors(t *testing.T) {
	srv := serve(t, "redis 1.0.0")
	for name, test := range map[string]struct{ dependency, want string }{
		"an unknown name":     {`{name: redis, version: "1", repository: "@unknown"}`, `there is no repository "unknown"`},
		"a near miss":         {`{name: rediss, version: "1", repository: "` + srv.URL + `"}`, "it has redis"},
		"no such version":     {`{name: redis, version: "^7", repository: "` + srv.URL + `"}`, "newest: 1.0.0"},
		"a word":              {`{name: redis, version: "1", repository: "stable"}`, "neither a URL"},
		"no local chart":      {`{name: redis, version: "1", repository: "file://../nowhere"}`, "nowhere"},
		"not in charts/":      {`{name: redis, version: "1"}`, "redis"},
		"a dead repository":   {`{name: redis, version: "1", repository: "http://x:s3cret@127.0.0.1:1"}`, "download index of http://127.0.0.1:1"},
		"left alone, missing": {`{name: redis, version: "1", repository: "` + srv.URL + `"}`, "missing in its charts/ directory: redis"},
	} {
		t.Run(name, func(t *testing.T) {
			app := charttest.WriteChart(t, t.TempDir(), "app", "1.0.0", "dependencies: ["+test.dependency+"]")
			_, err := newStore(t).Load(t.Context(), release.Chart{Path: app, SkipDependencies: name == "left alone, missing"})
			charttest.ExpectError(t, err, app, test.want)
		})
	}
}

func TestLibrariesAreNotInstallable(t *testing.T) {
	dir := charttest.WriteChart(t, t.TempDir(), "lib", "1.0.0", "type: library")
	_, err := newStore(t).Load(t.Context(), release.Chart{Path: dir})
	charttest.ExpectError(t, err, "library charts are not installable")
}
