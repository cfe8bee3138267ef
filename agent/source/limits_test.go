package source

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// limitsWith returns changed default limits.
func limitsWith(change func(*Limits)) Limits {
	l := defaultLimits
	change(&l)
	return l
}

func TestLimits(t *testing.T) {
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise) // cannot fail
	for name, test := range map[string]struct {
		limits  Limits
		message []string
	}{
		"exactly as much as allowed": {limitsWith(func(l *Limits) { l.Files = 5; l.FileSize = 1 << 20 }), nil},
		"too many files":             {limitsWith(func(l *Limits) { l.Files = 4 }), []string{"the checkout has at least 5 files and directories, more than 4", "gitMaxFiles"}},
		"too many objects":           {limitsWith(func(l *Limits) { l.Files = 0 }), []string{"the download has ", " objects, more than 0", "gitMaxFiles"}},
		"too large a file":           {limitsWith(func(l *Limits) { l.FileSize = 1<<20 - 1 }), []string{"a file of at least ", ", more than 1048575", "gitMaxFileSize"}},
		"too large a download":       {limitsWith(func(l *Limits) { l.Size = 1<<20 - 1 }), []string{"the download has at least ", ", more than 1048575", "gitMaxSize"}},
		"too large a checkout":       {limitsWith(func(l *Limits) { l.Size = 2 << 20 }), []string{"the files of the checkout have at least ", ", more than 2Mi", "gitMaxSize"}},
	} {
		e := newExample(t) // it has two files
		for _, name := range []string{"noise", "zeros", "again"} {
			content := noise
			if name != "noise" {
				content = make([]byte, 1<<20)
			}
			if err := os.WriteFile(filepath.Join(e.dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		runGit(t, e.dir, "add", "-A")
		runGit(t, e.dir, "commit", "-qm", "large files")
		server := serveHTTP(t, e.root, "")
		for transport, repo := range map[string]string{"http": server + "/config", "path": e.dir} {
			t.Run(name+"/"+transport, func(t *testing.T) {
				_, err := cloneWithLimits(timeout30s(t), Request{Repo: repo, Limits: test.limits}, t.TempDir())
				if test.message == nil {
					if err != nil {
						t.Error(err)
					}
					return
				}
				expectRefusal(t, err, exit.SourceRefused, test.message...)
			})
		}
	}
}

// TestTreeBombIsRefused checks a commit in which a few small objects stand for a billion files.
func TestTreeBombIsRefused(t *testing.T) {
	e := newExample(t)
	entry := "100644 blob " + runGit(t, e.dir, "rev-parse", "HEAD:helmfile.yaml")
	for range 9 {
		var tree strings.Builder
		for i := range 10 {
			fmt.Fprintf(&tree, "%s\tn%d\n", entry, i)
		}
		file := filepath.Join(t.TempDir(), "tree")
		if err := os.WriteFile(file, []byte(tree.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		entry = "040000 tree " + gitWithInput(t, e.dir, file, "mktree")
	}
	commit := runGit(t, e.dir, "commit-tree", strings.Fields(entry)[2], "-m", "bomb")
	runGit(t, e.dir, "branch", "bomb", commit)
	_, err := cloneWithLimits(timeout30s(t), Request{Repo: e.dir, Ref: "bomb"}, t.TempDir())
	expectRefusal(t, err, exit.SourceRefused, "at least 1001 files and directories, more than 1000", "gitMaxFiles")
}

// TestLargeFileIsNotUnpackedInMemory checks a large file that is small when it is compressed.
func TestLargeFileIsNotUnpackedInMemory(t *testing.T) {
	e := newExample(t)
	file, err := os.Create(filepath.Join(e.dir, "zeros"))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(256 << 20); err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	runGit(t, e.dir, "add", "-A")
	runGit(t, e.dir, "commit", "-qm", "zeros")
	server := serveHTTP(t, e.root, "")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = cloneWithLimits(timeout30s(t), Request{Repo: server + "/config"}, t.TempDir())
	runtime.ReadMemStats(&after)
	expectRefusal(t, err, exit.SourceRefused, "more than 4Mi", "gitMaxFileSize")
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("the clone allocated %d MiB", used>>20)
	}
}
