package desired

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
)

// survivors are loaders that leave a process behind, and these processes.
var survivors map[string]func()

func init() {
	survivors = map[string]func(){
		"a survivor": func() { startSession("a separated survivor") },
		"an answer": func() {
			startSession("a separated survivor")
			_ = child.NewWriter(os.Stdout, protocol.Bounds).Send(protocol.Message{Answer: &protocol.Answer{Loaded: true}})
		},
		"a separated survivor": func() {
			startSession("a writer")
			os.Exit(0)
		},
		"a writer": func() {
			for {
				f, err := os.OpenFile("alive", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
				if err == nil {
					_, _ = f.WriteString("x")
					_ = f.Close()
				}
				time.Sleep(5 * time.Millisecond)
			}
		},
	}
}

// startSession starts the test binary in another session, and waits until the process there writes a file.
func startSession(hostile string) {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	process := exec.Cmd{Path: self, Args: []string{loader.Name}, Env: append(os.Environ(), behaviour+"="+hostile), SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	if err := process.Start(); err != nil {
		panic(err)
	}
	for {
		if info, err := os.Stat("alive"); err == nil && info.Size() > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestNoProcessOfTheLoaderSurvives checks that a process in another session and process group is killed too. It could write to the checkout
// while the agent reads it.
func TestNoProcessOfTheLoaderSurvives(t *testing.T) {
	for name, answers := range map[string]bool{"a survivor": false, "an answer": true} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(behaviour, name)
			req := request(t, map[string]string{"helmfile.yaml": "releases: []\n"})
			l, err := Start(t.TempDir(), []string{behaviour})
			check(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if _, err := l.Load(ctx, req); (err == nil) != answers {
				t.Fatalf("got %v", err)
			}
			before, err := os.ReadFile(filepath.Join(l.workspace, "alive"))
			if err != nil || len(before) == 0 {
				t.Fatalf("the process did not write: %v", err)
			}
			time.Sleep(200 * time.Millisecond)
			after, err := os.ReadFile(filepath.Join(l.workspace, "alive"))
			if err != nil || len(after) != len(before) {
				t.Errorf("the process still writes: %d bytes, then %d: %v", len(before), len(after), err)
			}
		})
	}
}
