package servers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestRepoCommits(t *testing.T) {
	repo := newRepo(t, t.TempDir())
	first := commit(t, repo, map[string]string{"a": "1\n", "dir/b": "2\n", "dir/c": "3\n", "run": "#!/bin/sh\n"})
	repo.Author = "Grace Hopper <grace@example.com>"
	second := commit(t, repo, map[string]string{"a": "new\n", "dir": Deleted})

	want := "100644 a\n100755 run"
	if got := run(t, repo, "ls-tree", "-r", "--format=%(objectmode) %(path)", second); got != want {
		t.Errorf("files:\n%s\nwant:\n%s", got, want)
	}
	if got := run(t, repo, "show", second+":a"); got != "new" {
		t.Errorf("content %q", got)
	}
	want = "Grace Hopper <grace@example.com> change " + first
	if got := run(t, repo, "log", "-1", "--format=%an <%ae> %s %P"); got != want {
		t.Errorf("commit %q, want %q", got, want)
	}
}

func TestRepoBranchesAndTags(t *testing.T) {
	repo := newRepo(t, t.TempDir())
	first := commit(t, repo, map[string]string{"a": "1"})
	ok(t, repo.Switch("next"))
	second := commit(t, repo, map[string]string{"a": "2"})
	ok(t, repo.Tag("v2", "the second"))
	ok(t, repo.Switch(DefaultBranch))
	ok(t, repo.Tag("v1", ""))
	want := map[string]string{"main": first, "next": second, "v1": first, "v2^{commit}": second}
	for revision, sha := range want {
		if got := run(t, repo, "rev-parse", revision); got != sha {
			t.Errorf("%s is %s, want %s", revision, got, sha)
		}
	}
	if got := run(t, repo, "cat-file", "-t", "v2"); got != "tag" {
		t.Errorf("v2 is a %s, want an annotated tag", got)
	}
	ok(t, repo.Reset("v2"))
	if head, err := repo.Head(); err != nil || head != second {
		t.Errorf("after a reset: %s, %v", head, err)
	}
}

func TestRepoRefusesPathsOutside(t *testing.T) {
	root := t.TempDir()
	if _, err := NewRepo(root, "../out.git"); err == nil {
		t.Error("a repository outside of the root")
	}
	repo := newRepo(t, root)
	for _, name := range []string{"../x", "/x", "a/../x", "a\nb", ""} {
		if _, err := repo.Commit(map[string]string{name: "x"}, "bad"); err == nil {
			t.Errorf("a file named %q was committed", name)
		}
	}
}

func TestTreeReadsADirectory(t *testing.T) {
	tree := fstest.MapFS{"a.yaml": {Data: []byte("1")}, "dir/b.yaml": {Data: []byte("2")}}
	got, err := Tree(tree, "prefix")
	ok(t, err)
	want := map[string]string{"prefix/a.yaml": "1", "prefix/dir/b.yaml": "2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestRepoIgnoresTheUsersConfiguration(t *testing.T) {
	config := filepath.Join(t.TempDir(), "gitconfig")
	ok(t, os.WriteFile(config, []byte("[broken"), 0o600))
	t.Setenv("GIT_CONFIG_GLOBAL", config)
	t.Setenv("GIT_DIR", "/nowhere")
	if sha := commit(t, newRepo(t, t.TempDir()), map[string]string{"a": "1"}); len(sha) != 40 {
		t.Errorf("commit %q", sha)
	}
}

func TestGitErrorsSayWhatGitSaid(t *testing.T) {
	_, err := newRepo(t, t.TempDir()).Run("rev-parse", "--verify", "absent")
	if err == nil || !strings.Contains(err.Error(), "git rev-parse: exit status 128: fatal: Needed a single revision") {
		t.Errorf("error %v", err)
	}
}

func newRepo(t *testing.T, root string) *Repo {
	t.Helper()
	repo, err := NewRepo(root, "tenant/config.git")
	ok(t, err)
	return repo
}

func commit(t *testing.T, repo *Repo, files map[string]string) string {
	t.Helper()
	sha, err := repo.Commit(files, "change")
	ok(t, err)
	return sha
}

func run(t *testing.T, repo *Repo, args ...string) string {
	t.Helper()
	out, err := repo.Run(args...)
	ok(t, err)
	return out
}
