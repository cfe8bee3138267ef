package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestCopyLocalRevision(t *testing.T) {
	clean := func(t *testing.T, e example) string { return e.dir }
	at := func(e example) Revision {
		return Revision{Repo: "https://git.example/config", Ref: "main", Commit: e.third, Author: "Ada", Subject: "third",
			Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	}
	for name, test := range map[string]struct {
		prepare func(*testing.T, example) string
		want    func(example) Revision
	}{
		"a clean work tree": {clean, at},
		"a directory in a work tree": {func(t *testing.T, e example) string {
			dir := filepath.Join(e.dir, "empty")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			return dir
		}, at},
		"a changed file": {func(t *testing.T, e example) string {
			write(t, e.dir, "helmfile.yaml")
			return e.dir
		}, func(e example) Revision { r := at(e); r.Dirty = true; return r }},
		"a new file": {func(t *testing.T, e example) string {
			write(t, e.dir, "new.yaml")
			return e.dir
		}, func(e example) Revision { r := at(e); r.Dirty = true; return r }},
		"a detached HEAD": {func(t *testing.T, e example) string {
			runGit(t, e.dir, "checkout", "-q", e.third)
			return e.dir
		}, func(e example) Revision { r := at(e); r.Ref = ""; return r }},
		"outside of a work tree": {func(t *testing.T, e example) string { return e.root }, func(example) Revision { return Revision{} }},
		"a work tree without a commit": {func(t *testing.T, e example) string {
			runGit(t, e.root, "init", "-q", "new")
			return filepath.Join(e.root, "new")
		}, func(example) Revision { return Revision{} }},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExample(t)
			runGit(t, e.dir, "remote", "add", "origin", "https://ada:hunter2@git.example/config")
			dir := test.prepare(t, e)
			into := filepath.Join(t.TempDir(), "copy")
			got, err := CopyLocal(dir, into, defaultLimits)
			if diff := cmp.Diff(Checkout{Dir: into, Revision: test.want(e)}, got); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}

func write(t *testing.T, dir, file string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, file), []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCopyLocalRefusesFile(t *testing.T) {
	e := newExample(t)
	for _, path := range []string{filepath.Join(e.dir, "nothing"), filepath.Join(e.dir, "helmfile.yaml")} {
		_, err := CopyLocal(path, filepath.Join(t.TempDir(), "copy"), defaultLimits)
		expectRefusal(t, err, exit.ConfigInvalid, path)
	}
}

// TestCopyLocal checks that the copy is independent of the original, and has no execute bits and no .git.
func TestCopyLocal(t *testing.T) {
	dir, into := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	for name, mode := range map[string]os.FileMode{"run.sh": 0o755, "sub/values.yaml": 0o644, ".git/config": 0o644} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("sub/values.yaml", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := CopyLocal(dir, into, defaultLimits); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(into, "link")); err != nil || string(content) != "sub/values.yaml" {
		t.Errorf("got %q, %v", content, err)
	}
	if info, err := os.Stat(filepath.Join(into, "run.sh")); err != nil || info.Mode().Perm()&0o111 != 0 {
		t.Errorf("run.sh: %v, %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(into, ".git")); !os.IsNotExist(err) {
		t.Errorf(".git was copied: %v", err)
	}
	small := defaultLimits
	small.FileSize = 5
	_, err := CopyLocal(dir, filepath.Join(t.TempDir(), "copy"), small)
	if exit.Of(err) != exit.SourceRefused || !strings.Contains(err.Error(), "gitMaxFileSize") {
		t.Errorf("got %v", err)
	}
}
