package source

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestLocal(t *testing.T) {
	clean := func(t *testing.T, e example) string { return e.dir }
	at := func(e example) Revision {
		return Revision{Repo: "https://git.example/config", Ref: "main", Commit: e.third, Author: "Ada", Subject: "third",
			Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	}
	for sentence, is := range map[string]struct {
		prepare func(*testing.T, example) string
		want    func(example) Revision
	}{
		"a clean work tree": {clean, at},
		"a directory within one": {func(t *testing.T, e example) string {
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
			git_(t, e.dir, "checkout", "-q", e.third)
			return e.dir
		}, func(e example) Revision { r := at(e); r.Ref = ""; return r }},
		"no work tree": {func(t *testing.T, e example) string { return e.root }, func(example) Revision { return Revision{} }},
		"no commit so far": {func(t *testing.T, e example) string {
			git_(t, e.root, "init", "-q", "new")
			return filepath.Join(e.root, "new")
		}, func(example) Revision { return Revision{} }},
	} {
		t.Run(sentence, func(t *testing.T) {
			e := newExample(t)
			git_(t, e.dir, "remote", "add", "origin", "https://ada:hunter2@git.example/config")
			dir := is.prepare(t, e)
			got, err := Local(dir, usual)
			if diff := cmp.Diff(Checkout{Dir: dir, Revision: is.want(e)}, got); diff != "" || err != nil {
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

func TestLocalRefusesWhatIsNoDirectory(t *testing.T) {
	e := newExample(t)
	for _, path := range []string{filepath.Join(e.dir, "nothing"), filepath.Join(e.dir, "helmfile.yaml")} {
		_, err := Local(path, usual)
		expectRefusal(t, err, exit.ConfigInvalid, path)
	}
}
