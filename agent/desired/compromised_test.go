package desired

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
)

// loot names the environment variable that tells the thief which files to open.
const loot = "TEST_LOOT"

// theft is the real loader, taken over as soon as it has confined itself: nothing of the repository is read before.
func theft() int { return loader.Main(os.Stdin, &takenOver{out: os.Stdout}) }

// takenOver is the loader's output. It passes everything on.
type takenOver struct {
	out  *os.File
	said []byte
	done bool
}

// Write implements io.Writer.
func (o *takenOver) Write(p []byte) (int, error) {
	n, err := o.out.Write(p)
	if o.said = append(o.said, p...); !o.done {
		var m protocol.Message
		if child.NewReader(bytes.NewReader(o.said), protocol.Bounds).Next(&m) == nil && m.Confined != "" {
			o.done = true
			steal(o.out)
		}
	}
	return n, err
}

// steal opens all that the loader must not have, and says what it got as log lines.
func steal(stdout io.Writer) {
	out := child.NewWriter(stdout, protocol.Bounds)
	say := func(what, got string) {
		_ = out.Send(protocol.Message{Log: &protocol.LogLine{Message: "thief", Pairs: []string{what, got}}})
	}
	say("environment", strings.Join(os.Environ(), " "))
	for _, path := range filepath.SplitList(os.Getenv(loot)) {
		content, err := os.ReadFile(path)
		if list, listErr := os.ReadDir(path); listErr == nil {
			content, err = fmt.Append(nil, list), nil
		}
		say(path, fmt.Sprintf("%.200s %v", content, err))
	}
	for fd := range 256 {
		link, err := os.Readlink(fmt.Sprint("/proc/self/fd/", fd))
		if err != nil {
			continue
		}
		content := make([]byte, 200)
		n, err := unix.Pread(fd, content, 0)
		say("descriptor", fmt.Sprintf("%s: %s %v", link, content[:max(n, 0)], err))
	}
}

// TestALoaderThatWasTakenOver has the token, the keys and the agent's own process in reach, and gets nothing of them. Without the sandbox
// it gets the files, so they are there.
func TestALoaderThatWasTakenOver(t *testing.T) {
	private := t.TempDir()
	token, key := filepath.Join(private, "token"), filepath.Join(private, "keys.agekey")
	for _, path := range []string{token, key} {
		check(t, os.WriteFile(path, []byte("canary-"+filepath.Base(path)), 0o644))
		held, err := os.Open(path) // as the agent does while the loader is started
		check(t, err)
		defer held.Close()
	}
	t.Setenv("CANARY", "canary-variable")
	agent := fmt.Sprint("/proc/", os.Getpid())
	forbidden := []string{token, key, private, agent + "/environ", agent + "/fd", agent + "/mem", agent + "/root" + token, "/proc/self/environ", "/proc", "/etc/passwd"}
	for mode, sees := range map[string]bool{"required": false, "off": true} {
		t.Run(mode, func(t *testing.T) {
			req := request(t, map[string]string{"helmfile.yaml": "releases: []\n", "own": "found-own\n"})
			req.Sandbox = mode
			said := steals(t, req, append(forbidden, filepath.Join(req.Dir, "own")))
			if !strings.Contains(said, "found-own") || !strings.Contains(said, "descriptor") {
				t.Fatalf("the thief did not look: %s", said)
			}
			for _, canary := range []string{"canary-token", "canary-keys.agekey"} {
				if strings.Contains(said, canary) != sees {
					t.Errorf("%s is seen: %t, want %t: %s", canary, !sees, sees, said)
				}
			}
			if strings.Contains(said, "canary-variable") {
				t.Errorf("the agent's environment is seen: %s", said)
			}
			if strings.Contains(said, `descriptor="`+private) || strings.Contains(said, "descriptor="+private) {
				t.Errorf("the loader has a descriptor of the agent's: %s", said)
			}
			if !sees {
				for _, path := range forbidden {
					if want := path + `=" ` + "open " + path + ": permission denied"; !strings.Contains(said, want) {
						t.Errorf("no %s in %s", want, said)
					}
				}
			}
		})
	}
}

// steals has a loader that was taken over look for the files, and returns what it says.
func steals(t *testing.T, req Request, files []string) string {
	t.Helper()
	var said bytes.Buffer
	req.Log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	t.Setenv(behaviour, "theft")
	t.Setenv(loot, strings.Join(files, string(os.PathListSeparator)))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := Start(t.TempDir(), []string{behaviour, loot})
	check(t, err)
	if _, err := l.Load(ctx, req); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	return said.String()
}
