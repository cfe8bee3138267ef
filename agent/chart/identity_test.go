package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// identity is the identity in a new run, which has a new store.
func identity(t *testing.T, c release.Chart, volatile ...string) string {
	t.Helper()
	found, err := newStore(t).Identity(t.Context(), c, volatile...)
	if err != nil {
		t.Fatal(err)
	}
	if found == "" {
		t.Error("an identity is never empty")
	}
	return found
}

func expectSame(t *testing.T, what, one, other string) {
	t.Helper()
	if one != other {
		t.Errorf("%s: the identity changed", what)
	}
}

func expectOther(t *testing.T, what, one, other string) {
	t.Helper()
	if one == other {
		t.Errorf("%s: the identity did not change", what)
	}
}

func TestTheIdentityOfAnExactVersionNeedsNoRequest(t *testing.T) {
	srv := serve(t, "web 1.0.0")
	web := func(version string) release.Chart {
		return release.Chart{Ref: "web", Version: version, Repository: srv.repository()}
	}
	digest := "oci://registry.invalid/web@sha256:" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	one := identity(t, web("1.0.0"))
	expectSame(t, "the second time", one, identity(t, web("1.0.0")))
	expectOther(t, "another version", one, identity(t, web("1.0.1")))
	expectOther(t, "a version with the prefix v", one, identity(t, web("v1.0.0"))) // another form of the version may mean the same chart: the agent renders it and compares
	other := web("1.0.0")
	other.Repository.URL += "/elsewhere"
	expectOther(t, "another repository", one, identity(t, other))
	expectSame(t, "a digest", identity(t, release.Chart{Ref: digest}), identity(t, release.Chart{Ref: digest}))
	expectSame(t, "a URL", identity(t, release.Chart{Ref: srv.URL + "/web-1.0.0.tgz"}), identity(t, release.Chart{Ref: srv.URL + "/web-1.0.0.tgz"}))
	expectSame(t, "an exact version in a registry", identity(t, release.Chart{Ref: "oci://registry.invalid/web", Version: "1.0.0"}),
		identity(t, release.Chart{Ref: "oci://registry.invalid/web", Version: "1.0.0"}))
	srv.expectRequests(t, map[string]int{})
}

func TestTheIdentityOfAConstraintNeedsOnlyTheIndex(t *testing.T) {
	srv := serve(t, "web 1.0.0", "other 1.0.0")
	newest, constrained := release.Chart{Ref: "web", Repository: srv.repository()}, release.Chart{Ref: "web", Version: "~1.0", Repository: srv.repository()}
	one, two := identity(t, newest), identity(t, constrained)
	srv.expectRequests(t, map[string]int{"/index.yaml": 2})
	s := newStore(t)
	for _, c := range []release.Chart{newest, constrained, newest} { // in one run
		if _, err := s.Identity(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	srv.expectRequests(t, map[string]int{"/index.yaml": 3})

	charttest.Package(t, srv.dir, "other", "9.0.0")
	srv.index(t)
	expectSame(t, "another chart's version appeared", one, identity(t, newest))
	charttest.Package(t, srv.dir, "web", "1.1.0")
	srv.index(t)
	expectOther(t, "a newer version appeared", one, identity(t, newest))
	expectSame(t, "a version that the constraint does not allow", two, identity(t, constrained))
	charttest.Package(t, srv.dir, "web", "1.0.7")
	srv.index(t)
	expectOther(t, "a newer matching version appeared", two, identity(t, constrained))
	for path := range srv.requests {
		if path != "/index.yaml" {
			t.Errorf("there was a request for %s", path)
		}
	}
}

func TestTheIdentityOfAConstraintInARegistryNeedsOnlyTheTags(t *testing.T) {
	dir := t.TempDir()
	old := charttest.Package(t, dir, "web", "1.0.0")
	at, _ := serveOCI(t, "", "", nil, old)
	grown, _ := serveOCI(t, "", "", nil, old, charttest.Package(t, dir, "web", "1.1.0"))
	resolved := func(at, version string) string {
		s := newStore(t)
		found, err := s.downloads.Locate(t.Context(), release.Chart{Ref: "oci://" + at + "/web", Version: version, PlainHTTP: true})
		if err != nil {
			t.Fatal(err)
		}
		if entries, _ := os.ReadDir(filepath.Join(s.dir, "archives")); len(entries) > 0 {
			t.Error("a chart was downloaded")
		}
		return found.URL
	}
	web := release.Chart{Ref: "oci://" + at + "/web", Version: "^1", PlainHTTP: true}
	expectSame(t, "the second time", identity(t, web), identity(t, web))
	if got, want := resolved(at, "^1"), "oci://"+at+"/web:1.0.0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := resolved(grown, "^1"), "oci://"+grown+"/web:1.1.0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	expectOther(t, "no such version", identity(t, web), "")
	_, err := newStore(t).Identity(t.Context(), release.Chart{Ref: "oci://" + at + "/web", Version: "^7", PlainHTTP: true})
	charttest.ExpectError(t, err, "resolve chart", "^7")
}

func TestTheIdentityOfALocalChartIsItsContent(t *testing.T) {
	dir := charttest.WriteChart(t, t.TempDir(), "web", "1.0.0", "")
	charttest.Write(t, filepath.Join(dir, ".helmignore"), "notes.md\n*.bak\n")
	web := release.Chart{Path: dir}
	last := identity(t, web)
	for _, change := range []struct {
		file, content string
		counts        bool
	}{
		{"templates/cm.yaml", "kind: ConfigMap\nmetadata: {name: other}\n", true},
		{"templates/more.yaml", "kind: Secret\n", true},
		{"templates/_helpers.tpl", "{{- define \"x\" }}y{{ end }}", true},
		{"values.yaml", "a: 1\n", true},
		{"values.schema.json", "{}", true},
		{"crds/widgets.yaml", "kind: CustomResourceDefinition\n", true},
		{"files/data.txt", "for .Files.Get", true},
		{"Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.1\n", true},
		{"notes.md", "not rendered", false},
		{"templates/cm.yaml.bak", "not rendered either", false},
	} {
		charttest.Write(t, filepath.Join(dir, change.file), change.content)
		next := identity(t, web)
		if change.counts {
			expectOther(t, change.file, last, next)
		} else {
			expectSame(t, change.file, last, next)
		}
		last = next
	}
	if err := os.Chtimes(filepath.Join(dir, "values.yaml"), time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	expectSame(t, "the times of the files do not count", last, identity(t, web))
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.CopyFS(elsewhere, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	expectSame(t, "the path of the checkout does not count", last, identity(t, release.Chart{Path: elsewhere}))
}

func TestTheIdentityIncludesLocalDependencies(t *testing.T) {
	root := t.TempDir()
	common := charttest.WriteChart(t, root, "common", "0.1.0", "")
	app := release.Chart{Path: charttest.WriteChart(t, root, "app", "1.0.0", `dependencies: [{name: common, version: ">=0", repository: "file://../common"}]`)}
	one := identity(t, app)
	expectSame(t, "built again", one, identity(t, app))
	charttest.Write(t, filepath.Join(common, "templates", "cm.yaml"), "kind: ConfigMap\nmetadata: {name: changed}\n")
	two := identity(t, app)
	expectOther(t, "the dependency changed", one, two)
	if err := newStore(t).BuildDependencies(t.Context(), app.Path, nil); err != nil {
		t.Fatal(err)
	}
	expectSame(t, "built in place by another program, with a new lock file", two, identity(t, app))
	charttest.Write(t, filepath.Join(common, "values.yaml"), "a: 1\n")
	expectOther(t, "the dependency changed after that", two, identity(t, app))
}

func TestALockedDependencyIsNotDownloaded(t *testing.T) {
	srv := serve(t, "redis 1.0.0")
	app := release.Chart{Path: charttest.WriteChart(t, t.TempDir(), "app", "1.0.0", `dependencies: [{name: redis, version: "^1", repository: "`+srv.URL+`"}]`)}
	if err := newStore(t).BuildDependencies(t.Context(), app.Path, nil); err != nil {
		t.Fatal(err)
	}
	vendored := identity(t, app)
	if err := os.RemoveAll(filepath.Join(app.Path, "charts")); err != nil {
		t.Fatal(err)
	}
	srv.requests = map[string]int{}
	one := identity(t, app)
	srv.expectRequests(t, map[string]int{})
	expectOther(t, "with and without the archive in charts/", vendored, one)
	expectSame(t, "the second time", one, identity(t, app))
	charttest.Write(t, filepath.Join(app.Path, "templates", "cm.yaml"), "kind: ConfigMap\nmetadata: {name: changed}\n")
	two := identity(t, app)
	expectOther(t, "a template", one, two)
	charttest.Write(t, filepath.Join(app.Path, "Chart.lock"), "dependencies:\n- name: redis\n  repository: "+srv.URL+"\n  version: 1.0.1\ndigest: sha256:0\n")
	expectOther(t, "the lock", two, identity(t, app))
	srv.expectRequests(t, map[string]int{})
}

func TestADependencyWithoutALockIsResolved(t *testing.T) {
	srv := serve(t, "redis 1.0.0")
	app := release.Chart{Path: charttest.WriteChart(t, t.TempDir(), "app", "1.0.0", `dependencies: [{name: redis, version: "^1", repository: "`+srv.URL+`"}]`)}
	one := identity(t, app)
	expectSame(t, "the second time", one, identity(t, app))
	charttest.Package(t, srv.dir, "redis", "1.0.1")
	srv.index(t)
	expectOther(t, "a newer matching version appeared", one, identity(t, app))
}

func TestVolatilePathsDoNotCount(t *testing.T) {
	parent := t.TempDir()
	chartIn := func(workspace string) release.Chart {
		dir := charttest.WriteChart(t, filepath.Join(parent, workspace), "web", "1.0.0", "")
		charttest.Write(t, filepath.Join(dir, "values.yaml"), "madeIn: "+filepath.Join(parent, workspace)+"/patches\n")
		return release.Chart{Path: dir}
	}
	one, two := chartIn("run-1"), chartIn("run-22")
	expectOther(t, "paths count", identity(t, one), identity(t, two))
	expectSame(t, "volatile ones do not", identity(t, one, filepath.Join(parent, "run-1")), identity(t, two, filepath.Join(parent, "run-22")))
}

func TestTheIdentityOfAnArchiveIsItsContent(t *testing.T) {
	one := identity(t, release.Chart{Path: charttest.Package(t, t.TempDir(), "web", "1.0.0")})
	time.Sleep(1100 * time.Millisecond) // times in archives have a precision of one second
	again := charttest.Package(t, t.TempDir(), "web", "1.0.0")
	expectSame(t, "packaged again", one, identity(t, release.Chart{Path: again}))
	expectOther(t, "another version", one, identity(t, release.Chart{Path: charttest.Package(t, t.TempDir(), "web", "1.0.1")}))
	app := charttest.WriteChart(t, t.TempDir(), "app", "1.0.0", "")
	empty := identity(t, release.Chart{Path: app})
	vendored, err := os.ReadFile(again)
	if err != nil {
		t.Fatal(err)
	}
	charttest.Write(t, filepath.Join(app, "charts", "web-1.0.0.tgz"), string(vendored))
	expectOther(t, "a package in charts/", empty, identity(t, release.Chart{Path: app}))
}

func TestIdentityErrors(t *testing.T) {
	srv := serve(t, "web 1.0.0")
	_, err := newStore(t).Identity(t.Context(), release.Chart{Ref: "web", Version: "^9", Repository: srv.repository()})
	charttest.ExpectError(t, err, "resolve chart web version ^9", "newest: 1.0.0")
	_, err = newStore(t).Identity(t.Context(), release.Chart{Path: filepath.Join(t.TempDir(), "nowhere")})
	charttest.ExpectError(t, err, "read chart", "nowhere")
	dir := t.TempDir()
	app := charttest.WriteChart(t, dir, "app", "1.0.0", `dependencies: [{name: worker, version: "1", repository: "`+srv.URL+`"}]`)
	_, err = newStore(t).Identity(t.Context(), release.Chart{Name: "./charts/app", Path: app})
	charttest.ExpectError(t, err, "read chart ./charts/app: build dependencies of chart ./charts/app: ", `no chart "worker"`)
	if strings.Contains(err.Error(), dir) {
		t.Errorf("the error has the temporary path: %v", err)
	}
}

func TestTheIdentityOfALocalChartDependsOnItsSettings(t *testing.T) {
	s := newStore(t)
	c := release.Chart{Path: charttest.WriteChart(t, t.TempDir(), "web", "1.0.0", ""), Verify: true}
	_, err := s.Identity(t.Context(), c)
	charttest.ExpectError(t, err, "only packaged charts can be verified")
	c.Verify = false
	if _, err := s.Identity(t.Context(), c); err != nil {
		t.Errorf("another release without verify: %v", err)
	}
}
