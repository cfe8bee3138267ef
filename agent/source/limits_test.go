package source

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// with are the usual limits with some changed.
func with(change func(*Limits)) Limits {
	l := usual
	change(&l)
	return l
}

func TestARepositoryHasBounds(t *testing.T) {
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise) // never fails
	for sentence, is := range map[string]struct {
		limits Limits
		says   []string
	}{
		"exactly as much as allowed": {with(func(l *Limits) { l.Files = 5; l.FileSize = 1 << 20 }), nil},
		"too many files":             {with(func(l *Limits) { l.Files = 4 }), []string{"the checkout has at least 5 files and directories, more than 4", "gitMaxFiles"}},
		"too many objects":           {with(func(l *Limits) { l.Files = 0 }), []string{"the download has ", " objects, more than 0", "gitMaxFiles"}},
		"too large a file":           {with(func(l *Limits) { l.FileSize = 1<<20 - 1 }), []string{"a file of at least ", ", more than 1048575", "gitMaxFileSize"}},
		"too large a download":       {with(func(l *Limits) { l.Size = 1<<20 - 1 }), []string{"the download has at least ", ", more than 1048575", "gitMaxSize"}},
		"too large a checkout":       {with(func(l *Limits) { l.Size = 2 << 20 }), []string{"the files of the checkout have at least ", ", more than 2Mi", "gitMaxSize"}},
	} {
		e := newExample(t) // with two files
		for _, name := range []string{"noise", "zeros", "again"} {
			content := noise
			if name != "noise" {
				content = make([]byte, 1<<20)
			}
			if err := os.WriteFile(filepath.Join(e.dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		git_(t, e.dir, "add", "-A")
		git_(t, e.dir, "commit", "-qm", "large files")
		server := serveHTTP(t, e.root, "")
		for transport, repo := range map[string]string{"http": server + "/config", "path": e.dir} {
			t.Run(sentence+"/"+transport, func(t *testing.T) {
				_, err := cloneBounded(within30s(t), Request{Repo: repo, Limits: is.limits}, t.TempDir())
				if is.says == nil {
					if err != nil {
						t.Error(err)
					}
					return
				}
				expectRefusal(t, err, exit.SourceRefused, is.says...)
			})
		}
	}
}

// TestATreeOfRepeatedTreesIsRefused: a few objects of a few bytes stand for a milliard files.
func TestATreeOfRepeatedTreesIsRefused(t *testing.T) {
	e := newExample(t)
	entry := "100644 blob " + git_(t, e.dir, "rev-parse", "HEAD:helmfile.yaml")
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
	commit := git_(t, e.dir, "commit-tree", strings.Fields(entry)[2], "-m", "bomb")
	git_(t, e.dir, "branch", "bomb", commit)
	_, err := cloneBounded(within30s(t), Request{Repo: e.dir, Ref: "bomb"}, t.TempDir())
	expectRefusal(t, err, exit.SourceRefused, "at least 1001 files and directories, more than 1000", "gitMaxFiles")
}

// TestALargeFileIsNotUnpackedInMemory, although it is small while it is compressed.
func TestALargeFileIsNotUnpackedInMemory(t *testing.T) {
	e := newExample(t)
	file, err := os.Create(filepath.Join(e.dir, "zeros"))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(256 << 20); err != nil {
		t.Fatal(err)
	}
	file.Close()
	git_(t, e.dir, "add", "-A")
	git_(t, e.dir, "commit", "-qm", "zeros")
	server := serveHTTP(t, e.root, "")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = cloneBounded(within30s(t), Request{Repo: server + "/config"}, t.TempDir())
	runtime.ReadMemStats(&after)
	expectRefusal(t, err, exit.SourceRefused, "more than 4Mi", "gitMaxFileSize")
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MiB of memory were needed", used>>20)
	}
}

// TestADeltaThatMakesALargeFileIsRefused: a few bytes can say to copy others again and again.
func TestADeltaThatMakesALargeFileIsRefused(t *testing.T) {
	for size, refused := range map[uint64]bool{1000: false, 1 << 40: true, 1<<64 - 1: true} {
		delta := binary.AppendUvarint(binary.AppendUvarint(nil, 7), size)
		var pack bytes.Buffer
		pack.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x01")
		pack.WriteByte(7<<4 | byte(len(delta))) // a delta of the object with the hash that follows
		pack.Write(make([]byte, 20))
		content := zlib.NewWriter(&pack)
		_, _ = content.Write(delta) // into memory, where nothing fails
		_ = content.Close()
		pack.Write(make([]byte, 20)) // the checksum
		err := usual.checkPack(&pack)
		switch {
		case refused:
			expectRefusal(t, err, exit.SourceRefused, "more than 4Mi", "gitMaxFileSize")
		case err != nil:
			t.Error(err)
		}
	}
}
