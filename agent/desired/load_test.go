package desired

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
	"github.com/helmfile-agent/helmfile-agent/agent/tool"
)

// behaviour names the environment variable that makes the test binary another loader than the real one.
const behaviour = "TEST_BEHAVIOUR"

// TestMain makes the test binary answer as the agent's does when it is called by the loader's name.
func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	if tool.Known(name) {
		os.Exit(tool.Main(name, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	if name != loader.Name {
		os.Exit(m.Run())
	}
	if hostile, ok := hostiles[os.Getenv(behaviour)]; ok {
		hostile()
		os.Exit(0)
	}
	os.Exit(loader.Main(os.Stdin, os.Stdout))
}

// hostiles are loaders that were taken over by what they read.
var hostiles = map[string]func(){
	"exit":    func() { os.Exit(7) },
	"kill":    func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) },
	"panic":   func() { panic("s3cret in a panic") },
	"garbage": func() { fmt.Println("no CBOR, but a text that goes on") },
	"truncated": func() {
		var answer bytes.Buffer
		_ = child.NewWriter(&answer).Send(protocol.Message{Answer: &protocol.Answer{PassedOver: []string{"one", "two"}}})
		_, _ = os.Stdout.Write(answer.Bytes()[:answer.Len()/2])
	},
	"endless output": func() {
		out := child.NewWriter(os.Stdout)
		for out.Send(protocol.Message{File: strings.Repeat("x", 1<<20)}) == nil {
		}
	},
	"endless errors": func() {
		for range 1 << 10 {
			fmt.Fprint(os.Stderr, strings.Repeat("x", 1<<20))
		}
	},
	"nothing": func() { time.Sleep(time.Hour) },
	"a closed pipe": func() {
		_ = os.Stdout.Close()
		time.Sleep(time.Hour)
	},
	"another code": func() {
		_ = child.NewWriter(os.Stdout).Send(protocol.Message{Answer: &protocol.Answer{Code: 99, Reason: "made up"}})
	},
}

func request(t *testing.T, files map[string]string) Request {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, []byte(content), 0o600))
	}
	store, err := chart.NewStore(t.TempDir(), egress.Policy{}, slog.New(slog.DiscardHandler))
	check(t, err)
	return Request{
		Dir: dir, Environment: "default", Namespace: "shop", Concurrency: 2, Sandbox: "auto", Memory: 1 << 30, CPU: time.Minute,
		Charts: store, Keys: &secrets.Keys{}, Mask: &secrets.Mask{}, Log: slog.New(slog.DiscardHandler),
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, req Request, variables ...string) (Set, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l, err := Start(t.TempDir(), variables)
	check(t, err)
	check(t, req.Charts.Confine(req.Dir, l.workspace))
	return l.Load(ctx, req)
}

func TestLoad(t *testing.T) {
	req := request(t, map[string]string{
		"helmfile.yaml":     "releases:\n- {name: web, chart: ./web, values: [{a: 1, b: 1.5, c: null, d: [x]}], needs: [db]}\n- {name: db, chart: ./web}\n",
		"web/Chart.yaml":    "apiVersion: v2\nname: web\nversion: 1.0.0\n",
		"web/templates/a.x": "",
	})
	set, err := load(t, req)
	check(t, err)
	if len(set.Releases) != 2 || set.Releases[1].Name != "web" || fmt.Sprint(set.Releases[1].Values) != "map[a:1 b:1.5 c:<nil> d:[x]]" {
		t.Errorf("got %+v", set.Releases)
	}
	if set.Confined == "" {
		t.Error("it is not said what the kernel protects")
	}
}

// TestTheAgentSurvivesItsLoader: whatever the loader does, the agent ends in time, with a code that a loader may give, and says why.
func TestTheAgentSurvivesItsLoader(t *testing.T) {
	for name := range hostiles {
		t.Run(name, func(t *testing.T) {
			t.Setenv(behaviour, name)
			req := request(t, map[string]string{"helmfile.yaml": "releases: []\n"})
			ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, errors.New("the run is over"))
			defer cancel()
			l, err := Start(t.TempDir(), []string{behaviour})
			check(t, err)
			_, err = l.Load(ctx, req)
			if err == nil {
				t.Fatal("it loaded")
			}
			if code := exit.Of(err); code != exit.DesiredInvalid && name != "nothing" && !strings.HasPrefix(name, "another") {
				t.Errorf("exit code %d: %v", code, err)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("a secret is shown: %v", err)
			}
			if !l.Ended() {
				t.Error("the process was not ended")
			}
		})
	}
}

// TestLimits: what a repository makes the loader use is bounded, and the message names the file and the limit.
func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		state string
		limit func(*Request)
		want  []string
	}{
		"memory": {`a: {{ repeat 2000000000 "x" }}`, func(r *Request) { r.Memory = 256 << 20 }, []string{"helmfile.yaml.gotmpl", "more than 256 MiB of memory", "loaderMemory"}},
		"CPU time": {`releases: []{{ range until 2000000 }}{{ range until 2000000 }}{{ sha256sum "x" }}{{ end }}{{ end }}`,
			func(r *Request) { r.CPU, r.Memory = time.Second, 4<<30 }, []string{"helmfile.yaml.gotmpl", "more than 1s of CPU time", "loaderTime"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(t, map[string]string{"helmfile.yaml.gotmpl": test.state})
			test.limit(&req)
			_, err := load(t, req)
			if exit.Of(err) != exit.DesiredInvalid {
				t.Fatalf("got %v", err)
			}
			for _, word := range test.want {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("no %q in %v", word, err)
				}
			}
		})
	}
}

// TestNothingOfTheAgentReachesTheLoader: its environment, its files and its descriptors are there, and the repository asks for them.
func TestNothingOfTheAgentReachesTheLoader(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "token")
	check(t, os.WriteFile(outside, []byte("canary-token"), 0o644))
	held, err := os.Open(outside)
	check(t, err)
	defer held.Close()
	t.Setenv("CANARY", "canary-variable")
	t.Setenv("ALLOWED", "allowed-variable")
	for name, state := range map[string]string{
		"an absolute path":   `{{ readFile "` + outside + `" }}`,
		"a relative path":    `{{ readFile "../../../../../../../../` + outside + `" }}`,
		"its environment":    `{{ readFile "/proc/self/environ" }}{{ requiredEnv "CANARY" }}`,
		"a variable":         `{{ env "CANARY" | required "not there" }}`,
		"the agent's":        fmt.Sprintf(`{{ readFile "/proc/%d/environ" }}`, os.Getpid()),
		"a descriptor":       fmt.Sprintf(`{{ readFile "/proc/self/fd/%d" }}`, held.Fd()),
		"a directory":        `{{ readDir "` + filepath.Dir(outside) + `" }}`,
		"a secret reference": `{{ fetchSecretValue "ref+file://` + outside + `" }}`,
		"a program":          `{{ tpl "{{ ex` + `ec \"/bin/cat\" (list \"` + outside + `\") }}" . }}`,
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			req := request(t, map[string]string{"helmfile.yaml.gotmpl": "# " + state + "\nreleases: []\n"})
			req.Log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := load(t, req, "ALLOWED")
			if err == nil {
				t.Fatal("it loaded")
			}
			if strings.Contains(err.Error()+said.String(), "canary-") {
				t.Errorf("got %v\n%s", err, said.String())
			}
		})
	}
	req := request(t, map[string]string{"helmfile.yaml.gotmpl": "releases: []\n# {{ requiredEnv \"ALLOWED\" }}\n"})
	if _, err := load(t, req, "ALLOWED"); err != nil {
		t.Errorf("an allowed variable cannot be read: %v", err)
	}
}
