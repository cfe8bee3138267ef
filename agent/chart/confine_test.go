package chart

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// confined is a store that reads below a repository, that repository, and a directory outside of it.
func confined(t *testing.T) (s *Store, repository, outside string) {
	t.Helper()
	s, repository, outside = newStore(t), t.TempDir(), t.TempDir()
	if err := s.Confine(repository); err != nil {
		t.Fatal(err)
	}
	return s, repository, outside
}

func TestLocalChartsLieInTheRepository(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, repository, outside string) release.Chart{
		"a path": func(t *testing.T, _, outside string) release.Chart {
			return release.Chart{Path: charttest.WriteChart(t, outside, "web", "1.0.0", "")}
		},
		"a path with dots": func(t *testing.T, repository, outside string) release.Chart {
			charttest.WriteChart(t, outside, "web", "1.0.0", "")
			up, _ := filepath.Rel(repository, filepath.Join(outside, "web"))
			return release.Chart{Path: repository + "/" + up}
		},
		"an archive": func(t *testing.T, _, outside string) release.Chart {
			return release.Chart{Path: charttest.Package(t, outside, "web", "1.0.0")}
		},
		"a linked chart": func(t *testing.T, repository, outside string) release.Chart {
			charttest.Link(t, charttest.WriteChart(t, outside, "web", "1.0.0", ""), filepath.Join(repository, "web"))
			return release.Chart{Path: filepath.Join(repository, "web")}
		},
		"a linked archive": func(t *testing.T, repository, outside string) release.Chart {
			charttest.Link(t, charttest.Package(t, outside, "web", "1.0.0"), filepath.Join(repository, "web.tgz"))
			return release.Chart{Path: filepath.Join(repository, "web.tgz")}
		},
		"a linked file": func(t *testing.T, repository, outside string) release.Chart {
			charttest.Write(t, filepath.Join(outside, "token"), "s3cret")
			dir := charttest.WriteChart(t, repository, "web", "1.0.0", "")
			charttest.Link(t, filepath.Join(outside, "token"), filepath.Join(dir, "files", "token"))
			return release.Chart{Path: dir}
		},
		"a linked directory": func(t *testing.T, repository, outside string) release.Chart {
			charttest.Write(t, filepath.Join(outside, "token"), "s3cret")
			dir := charttest.WriteChart(t, repository, "web", "1.0.0", "")
			charttest.Link(t, outside, filepath.Join(dir, "files"))
			return release.Chart{Path: dir}
		},
		"a link behind a link": func(t *testing.T, repository, outside string) release.Chart {
			charttest.Write(t, filepath.Join(outside, "token"), "s3cret")
			charttest.Link(t, filepath.Join(outside, "token"), filepath.Join(repository, "shared", "token"))
			dir := charttest.WriteChart(t, repository, "web", "1.0.0", "")
			charttest.Link(t, "../shared", filepath.Join(dir, "files"))
			return release.Chart{Path: dir}
		},
		"a dependency": func(t *testing.T, repository, outside string) release.Chart {
			dir := charttest.WriteChart(t, repository, "web", "1.0.0", "")
			up, _ := filepath.Rel(dir, charttest.WriteChart(t, outside, "db", "1.0.0", ""))
			charttest.WriteChart(t, repository, "web", "1.0.0", `dependencies: [{name: db, version: "1.0.0", repository: "file://`+up+`"}]`)
			return release.Chart{Path: dir}
		},
		"an absolute dependency": func(t *testing.T, repository, outside string) release.Chart {
			at := charttest.WriteChart(t, outside, "db", "1.0.0", "")
			return release.Chart{Path: charttest.WriteChart(t, repository, "web", "1.0.0", `dependencies: [{name: db, version: "1.0.0", repository: "file://`+at+`"}]`)}
		},
		"a linked dependency": func(t *testing.T, repository, outside string) release.Chart {
			charttest.Link(t, charttest.WriteChart(t, outside, "db", "1.0.0", ""), filepath.Join(repository, "db"))
			return release.Chart{Path: charttest.WriteChart(t, repository, "web", "1.0.0", `dependencies: [{name: db, version: "1.0.0", repository: "file://../db"}]`)}
		},
		"a vendored archive": func(t *testing.T, repository, outside string) release.Chart {
			dir := charttest.WriteChart(t, repository, "web", "1.0.0", `dependencies: [{name: db, version: "1.0.0", repository: "https://charts.example"}]`)
			charttest.Link(t, charttest.Package(t, outside, "db", "1.0.0"), filepath.Join(dir, "charts", "db-1.0.0.tgz"))
			return release.Chart{Path: dir, SkipDependencies: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, repository, outside := confined(t)
			c := prepare(t, repository, outside)
			_, err := s.Load(t.Context(), c)
			charttest.ExpectError(t, err, outside, "outside of the repository")
			_, err = s.Identity(t.Context(), c)
			charttest.ExpectError(t, err, outside, "outside of the repository")
			joined, err := JoinStore(s.Dir(), nil, s.log)
			if err != nil {
				t.Fatal(err)
			}
			_, err = joined.Load(t.Context(), c)
			charttest.ExpectError(t, err, "outside of the repository")
			if _, err := newStore(t).Load(t.Context(), c); err != nil {
				t.Errorf("a store without roots has no limit: %v", err)
			}
		})
	}
}

func TestDependenciesBuiltInPlaceLieInTheRepository(t *testing.T) {
	s, repository, outside := confined(t)
	at := charttest.WriteChart(t, outside, "db", "1.0.0", "")
	dir := charttest.WriteChart(t, repository, "web", "1.0.0", `dependencies: [{name: db, version: "1.0.0", repository: "file://`+at+`"}]`)
	charttest.ExpectError(t, s.BuildDependencies(t.Context(), dir, nil), "dependency db", "outside of the repository")
	charttest.ExpectError(t, s.UpdateDependencies(t.Context(), dir, nil), "dependency db", "outside of the repository")
	if _, err := os.Stat(filepath.Join(dir, "charts")); !os.IsNotExist(err) {
		t.Errorf("charts/ was made: %v", err)
	}
}

func TestLinksWithinTheRepositoryAreFollowed(t *testing.T) {
	s, repository, _ := confined(t)
	charttest.Write(t, filepath.Join(repository, "shared", "a.txt"), "a")
	charttest.WriteChart(t, repository, "db", "1.0.0", "")
	dir := charttest.WriteChart(t, repository, "web", "1.0.0", `dependencies: [{name: db, version: "1.0.0", repository: "file://../db"}]`)
	charttest.Link(t, "../shared", filepath.Join(dir, "files"))
	charttest.Link(t, "web", filepath.Join(repository, "same"))
	c, err := s.Load(t.Context(), release.Chart{Path: filepath.Join(repository, "same")})
	if err != nil {
		t.Fatal(err)
	}
	if names(c) != "db 1.0.0" || len(c.Files) != 1 || c.Files[0].Name != "files/a.txt" {
		t.Errorf("got %s with %v", names(c), c.Files)
	}
}

func TestEndlessLinksAreRefused(t *testing.T) {
	s, repository, _ := confined(t)
	dir := charttest.WriteChart(t, repository, "web", "1.0.0", "")
	charttest.Link(t, ".", filepath.Join(dir, "again"))
	_, err := s.Load(t.Context(), release.Chart{Path: dir})
	charttest.ExpectError(t, err, "again", "leads back")

	dir = charttest.WriteChart(t, repository, "mutual", "1.0.0", "")
	charttest.Link(t, "../b", filepath.Join(repository, "a", "b"))
	charttest.Link(t, "../a", filepath.Join(repository, "b", "a"))
	charttest.Link(t, "../a", filepath.Join(dir, "a"))
	_, err = s.Load(t.Context(), release.Chart{Path: dir})
	charttest.ExpectError(t, err, "leads back")

	dir = charttest.WriteChart(t, repository, "bomb", "1.0.0", "")
	for level := range 20 { // each level doubles the number of files
		for _, name := range []string{"x", "y"} {
			charttest.Link(t, fmt.Sprintf("../%d", level+1), filepath.Join(repository, "levels", fmt.Sprint(level), name))
		}
	}
	charttest.Write(t, filepath.Join(repository, "levels", "20", "end"), "")
	charttest.Link(t, "../levels/0", filepath.Join(dir, "files"))
	_, err = s.Load(t.Context(), release.Chart{Path: dir})
	charttest.ExpectError(t, err, "more than 10000 files")
}

func TestVendoredArchivesAreChecked(t *testing.T) {
	s, repository, _ := confined(t)
	dir := charttest.WriteChart(t, repository, "web", "1.0.0", "")
	charttest.Write(t, filepath.Join(dir, "charts", "db.tgz"), string(tarball(t, file("db/Chart.yaml", "name: db\nversion: 1.0.0\napiVersion: v2\n"), file("db/../../x", ""))))
	_, err := s.Load(t.Context(), release.Chart{Path: dir})
	charttest.ExpectError(t, err, "db/../../x", "leads out")
}

func TestAJoinedStoreWithoutAnExistingRootReadsNoLocalChart(t *testing.T) {
	s, repository, outside := confined(t)
	c := release.Chart{Path: charttest.WriteChart(t, outside, "web", "1.0.0", "")}
	missing := filepath.Join(repository, "missing")
	joined, err := JoinStore(s.Dir(), []string{missing}, s.log)
	if err != nil {
		t.Fatal(err)
	}
	_, err = joined.Load(t.Context(), c)
	charttest.ExpectError(t, err, "outside of the repository")

	c = release.Chart{Path: charttest.WriteChart(t, missing, "web", "1.0.0", "")}
	if _, err := joined.Load(t.Context(), c); err != nil {
		t.Errorf("a chart below the root, made later: %v", err)
	}
}
