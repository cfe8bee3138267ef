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

// filesVariable names the environment variable with the files that a compromised loader opens.
const filesVariable = "TEST_FILES"

// compromisedLoader is the real loader until it has confined itself. Nothing of the repository is read before that.
func compromisedLoader() int { return loader.Main(os.Stdin, &compromisedOutput{out: os.Stdout}) }

// compromisedOutput is the output of the loader. It forwards all messages, and attacks after the message that the loader is confined.
type compromisedOutput struct {
	out     *os.File
	written []byte
	done    bool
}

// Write implements io.Writer.
func (o *compromisedOutput) Write(p []byte) (int, error) {
	n, err := o.out.Write(p)
	if o.written = append(o.written, p...); !o.done {
		var m protocol.Message
		if child.NewReader(bytes.NewReader(o.written), protocol.Bounds).Next(&m) == nil && m.Confined != "" {
			o.done = true
			openFiles(o.out)
		}
	}
	return n, err
}

// openFiles opens everything that the loader must not read, and logs the results.
func openFiles(stdout io.Writer) {
	out := child.NewWriter(stdout, protocol.Bounds)
	log := func(what, result string) {
		_ = out.Send(protocol.Message{Log: &protocol.LogLine{Message: "attack", Pairs: []string{what, result}}})
	}
	log("environment", strings.Join(os.Environ(), " "))
	for _, path := range filepath.SplitList(os.Getenv(filesVariable)) {
		content, err := os.ReadFile(path)
		if list, listErr := os.ReadDir(path); listErr == nil {
			content, err = fmt.Append(nil, list), nil
		}
		log(path, fmt.Sprintf("%.200s %v", content, err))
	}
	for fd := range 256 {
		link, err := os.Readlink(fmt.Sprint("/proc/self/fd/", fd))
		if err != nil {
			continue
		}
		content := make([]byte, 200)
		n, err := unix.Pread(fd, content, 0)
		log("descriptor", fmt.Sprintf("%s: %s %v", link, content[:max(n, 0)], err))
	}
}

// TestALoaderThatWasTakenOver checks that a compromised loader cannot read the token, the keys and the agent's process. Without the sandbox
// it can read the files. This proves that the test looks for them in the right place.
func TestALoaderThatWasTakenOver(t *testing.T) {
	private := t.TempDir()
	token, key := filepath.Join(private, "token"), filepath.Join(private, "keys.agekey")
	for _, path := range []string{token, key} {
		check(t, os.WriteFile(path, []byte("canary-"+filepath.Base(path)), 0o644))
		opened, err := os.Open(path) // the agent may have it open while it starts the loader
		check(t, err)
		t.Cleanup(func() { _ = opened.Close() })
	}
	t.Setenv("CANARY", "canary-variable")
	agent := fmt.Sprint("/proc/", os.Getpid())
	forbidden := []string{token, key, private, agent + "/environ", agent + "/fd", agent + "/mem", agent + "/root" + token, "/proc/self/environ", "/proc", "/etc/passwd"}
	for mode, readable := range map[string]bool{"required": false, "off": true} {
		t.Run(mode, func(t *testing.T) {
			req := request(t, map[string]string{"helmfile.yaml": "releases: []\n", "own": "found-own\n"})
			req.Sandbox = mode
			output := runCompromised(t, req, append(forbidden, filepath.Join(req.Dir, "own")))
			if !strings.Contains(output, "found-own") || !strings.Contains(output, "descriptor") {
				t.Fatalf("the loader did not attack: %s", output)
			}
			for _, canary := range []string{"canary-token", "canary-keys.agekey"} {
				if strings.Contains(output, canary) != readable {
					t.Errorf("%s was read: %t, want %t: %s", canary, !readable, readable, output)
				}
			}
			if strings.Contains(output, "canary-variable") {
				t.Errorf("the loader read the agent's environment: %s", output)
			}
			if strings.Contains(output, `descriptor="`+private) || strings.Contains(output, "descriptor="+private) {
				t.Errorf("the loader has a file descriptor of the agent: %s", output)
			}
			if !readable {
				for _, path := range forbidden {
					if want := path + `=" ` + "open " + path + ": permission denied"; !strings.Contains(output, want) {
						t.Errorf("no %s in %s", want, output)
					}
				}
			}
		})
	}
}

// runCompromised runs a compromised loader that opens the files, and returns its log.
func runCompromised(t *testing.T, req Request, files []string) string {
	t.Helper()
	var output bytes.Buffer
	req.Log = slog.New(slog.NewTextHandler(&output, &slog.HandlerOptions{Level: slog.LevelDebug}))
	t.Setenv(behaviour, "compromised")
	t.Setenv(filesVariable, strings.Join(files, string(os.PathListSeparator)))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := Start(t.TempDir(), []string{behaviour, filesVariable})
	check(t, err)
	if _, err := l.Load(ctx, req); err != nil {
		t.Fatalf("%v: %s", err, output.String())
	}
	return output.String()
}
