package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestFilesAreNotExecutable(t *testing.T) {
	e := newExample(t)
	if err := os.MkdirAll(filepath.Join(e.dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(e.dir, "bin", "helm")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	runGit(t, e.dir, "add", "-A")
	runGit(t, e.dir, "commit", "-qm", "script")
	if mode := runGit(t, e.dir, "ls-files", "-s", "bin/helm"); !strings.HasPrefix(mode, "100755 ") {
		t.Fatalf("the script is not executable in git: %s", mode)
	}
	dir := t.TempDir()
	if _, err := cloneWithLimits(timeout30s(t), Request{Repo: e.dir}, dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "bin", "helm"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o111 != 0 || info.Mode().Perm()&0o600 != 0o600 {
		t.Errorf("the script has the mode %s", info.Mode())
	}
	if status := runGit(t, dir, "status", "--porcelain"); status != "" {
		t.Errorf("git reports changes:\n%s", status)
	}
}

// linkCases are trees of symbolic links by their paths. The target OUTSIDE is an absolute path.
var linkCases = map[string]struct {
	links   map[string]string
	refused string // the link that the error names; empty if all links are allowed
}{
	"a link to a file":                                         {map[string]string{"a": "helmfile.yaml"}, ""},
	"a link to a file in a parent directory":                   {map[string]string{"sub/a": "../helmfile.yaml"}, ""},
	"a link to a directory":                                    {map[string]string{"sub/a": "../dir"}, ""},
	"a link through a link":                                    {map[string]string{"a": "b", "b": "c/file", "c": "dir"}, ""},
	"a link whose path has more .. than its directory is deep": {map[string]string{"deep": "dir/below", "a": "deep/../../helmfile.yaml"}, ""},
	"a link to a missing file":                                 {map[string]string{"a": "nothing"}, ""},
	"an absolute link":                                         {map[string]string{"a": "OUTSIDE"}, "a"},
	"a relative link out of the checkout":                      {map[string]string{"sub/a": "../../outside"}, "sub/a"},
	"a relative link to a missing file outside":                {map[string]string{"a": "../nothing"}, "a"},
	"a link out of the checkout and back":                      {map[string]string{"sub/a": "../../config/helmfile.yaml"}, "sub/a"},
	"a link through a link of a directory":                     {map[string]string{"dir/up": "..", "a": "dir/up/../outside"}, "a"},
	"a link that leads through a later link":                   {map[string]string{"dir/sub/a": "../../b/below/../../../outside", "b": "dir"}, "dir/sub/a"},
	"a long chain of links":                                    {chain(12), ""},
}

// chain returns a chain of links whose end is outside. Go follows fewer links below a root, and Linux follows more.
func chain(length int) map[string]string {
	links := map[string]string{fmt.Sprint("link", length): "../outside"}
	for i := range length {
		links[fmt.Sprint("link", i)] = fmt.Sprint("link", i+1)
	}
	return links
}

// newExampleWithLinks is newExample with some directories and the links. Beside the repository is a file named outside.
func newExampleWithLinks(t *testing.T, tree map[string]string) example {
	t.Helper()
	e := newExample(t)
	outside := filepath.Join(e.root, "outside")
	files := map[string]string{outside: "secret"}
	for _, name := range []string{"dir/file", "dir/below/file", "sub/file", "dir/sub/file"} {
		files[filepath.Join(e.dir, name)] = "inside"
	}
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range tree {
		if err := os.Symlink(strings.Replace(target, "OUTSIDE", outside, 1), filepath.Join(e.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	runGit(t, e.dir, "add", "-A")
	runGit(t, e.dir, "commit", "-qm", "links")
	return e
}

func TestLinksOutOfCheckoutAreRefused(t *testing.T) {
	for name, test := range linkCases {
		t.Run(name, func(t *testing.T) {
			e := newExampleWithLinks(t, test.links)
			_, cloned := cloneWithLimits(timeout30s(t), Request{Repo: e.dir}, t.TempDir())
			_, local := CopyLocal(e.dir, filepath.Join(t.TempDir(), "copy"), defaultLimits)
			target := strings.Replace(test.links[test.refused], "OUTSIDE", filepath.Join(e.root, "outside"), 1)
			for way, err := range map[string]error{"clone": cloned, "dir": local} {
				switch {
				case strings.Contains(name, "long chain"):
					expectRefusal(t, err, exit.SourceRefused, "the symbolic link link")
				case test.refused != "":
					expectRefusal(t, err, exit.SourceRefused, "the symbolic link "+test.refused+" → "+target+" leads out of the checkout", "replace it")
				case err != nil:
					t.Errorf("%s: %v", way, err)
				}
			}
		})
	}
}

func TestLinksInDotGitAreIgnored(t *testing.T) {
	e := newExample(t)
	if err := os.Symlink("/", filepath.Join(e.dir, ".git", "anywhere")); err != nil {
		t.Fatal(err)
	}
	if _, err := CopyLocal(e.dir, filepath.Join(t.TempDir(), "copy"), defaultLimits); err != nil {
		t.Error(err)
	}
}

func TestCopyLocalLimitsFiles(t *testing.T) {
	e := newExample(t)
	for i := range 6 {
		write(t, e.dir, fmt.Sprint("file", i))
	}
	_, err := CopyLocal(e.dir, filepath.Join(t.TempDir(), "copy"), Limits{Files: 5})
	expectRefusal(t, err, exit.SourceRefused, "at least 6 files and directories, more than 5", "gitMaxFiles")
}

func TestFindLinksInMissingDirectory(t *testing.T) {
	_, err := findLinks(filepath.Join(t.TempDir(), "nothing"), defaultLimits.Files)
	expectRefusal(t, err, exit.ConfigInvalid, "no such file or directory")
}
