package files

import (
	"os"
	"path/filepath"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charttest"
)

func realPath(t *testing.T, path string) string {
	t.Helper()
	real, err := RealPath(path)
	if err != nil {
		t.Fatal(err)
	}
	return real
}

// TestALocatedFileStaysBelowItsRoot replaces a located file before the reader reads it.
func TestALocatedFileStaysBelowItsRoot(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, repository, outside string){
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
			repository, outside := t.TempDir(), t.TempDir()
			r := New([]string{realPath(t, repository)})
			charttest.Write(t, filepath.Join(outside, "token"), "CANARY")
			charttest.Write(t, filepath.Join(repository, "a", "token"), "ok")
			at, err := r.locate(filepath.Join(repository, "a", "token"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(repository, "a")); err != nil {
				t.Fatal(err)
			}
			replace(t, repository, outside)
			if data, err := at.read(1 << 20); err == nil {
				t.Errorf("read %q", data)
			}
		})
	}
}

// TestADirectoryIsReadAsHelmReadsIt compares the reader with Helm's own loader.
func TestADirectoryIsReadAsHelmReadsIt(t *testing.T) {
	dir := charttest.WriteChart(t, t.TempDir(), "web", "1.0.0", "")
	shared := filepath.Join(filepath.Dir(dir), "shared")
	for name, content := range map[string]string{
		".helmignore":                 "\xef\xbb\xbf# comment\nignored/\n*.bak\n/top.txt\nlinked/b.txt\n",
		"ignored/secret":              "s",
		"a.bak":                       "bak",
		"top.txt":                     "t",
		"files/top.txt":               "not ignored",
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
		got, err := New(nil).LoadDirectory(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Raw) != len(want.Raw) || len(got.Dependencies()) != 2 || len(want.Dependencies()) != 2 || len(got.Raw) < 3 {
			t.Fatalf("got %d files, want %d", len(got.Raw), len(want.Raw))
		}
		for i, file := range want.Raw {
			if got.Raw[i].Name != file.Name || string(got.Raw[i].Data) != string(file.Data) {
				t.Errorf("got %s, want %s", got.Raw[i].Name, file.Name)
			}
		}
	}
}
