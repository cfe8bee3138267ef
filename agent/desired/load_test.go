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
	"github.com/helmfile-agent/helmfile-agent/agent/helmshim"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// behaviour names the environment variable that replaces the real loader in the test binary.
const behaviour = "TEST_BEHAVIOUR"

// TestMain makes the test binary the loader, helm or kustomize if it has that name, like the agent's binary.
func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	if helmshim.Known(name) {
		os.Exit(helmshim.Main(name, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	if name != loader.Name {
		os.Exit(m.Run())
	}
	if os.Getenv(behaviour) == "compromised" {
		os.Exit(compromisedLoader())
	}
	if hostile, ok := hostiles[os.Getenv(behaviour)]; ok {
		hostile.act()
		os.Exit(0)
	}
	if hostile, ok := survivors[os.Getenv(behaviour)]; ok {
		hostile()
		os.Exit(0)
	}
	os.Exit(loader.Main(os.Stdin, os.Stdout))
}

// hostile is a compromised loader, and the error that the agent returns.
type hostile struct {
	act  func()
	code exit.Code
	want string // in the error
}

var hostiles = map[string]hostile{
	"exit":    {func() { os.Exit(7) }, exit.DesiredInvalid, "ended without an answer"},
	"kill":    {func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }, exit.DesiredInvalid, "was killed"},
	"panic":   {func() { panic("s3cret in a panic") }, exit.DesiredInvalid, "crashed"},
	"garbage": {func() { fmt.Println("no CBOR, but a text") }, exit.DesiredInvalid, "more than the agent reads"},
	"truncated": {func() {
		var answer bytes.Buffer
		_ = child.NewWriter(&answer, protocol.Bounds).Send(protocol.Message{Answer: &protocol.Answer{SkippedFiles: []string{"one", "two"}}})
		_, _ = os.Stdout.Write(answer.Bytes()[:answer.Len()/2])
	}, exit.DesiredInvalid, "unexpected EOF"},
	"endless output": {flood(func(int) protocol.Message { return protocol.Message{File: strings.Repeat("x", 1<<20)} }), exit.DesiredInvalid, "more than 256 MiB"},
	"endless secrets": {flood(func(i int) protocol.Message {
		return protocol.Message{Secret: fmt.Sprint(i) + strings.Repeat("x", 1<<20)}
	}), exit.DesiredInvalid, "more secrets than the agent can mask"},
	"endless files of secrets": {flood(func(i int) protocol.Message {
		return protocol.Message{SecretFile: fmt.Appendf(nil, "%d: %d%s", i, i, strings.Repeat("x", 1<<20))}
	}), exit.DesiredInvalid, "more secrets than the agent can mask"},
	"endless releases": {flood(func(int) protocol.Message { return protocol.Message{Release: &protocol.Release{}} }), exit.DesiredInvalid, "more than"},
	"endless large releases": {flood(func(int) protocol.Message {
		return protocol.Message{Release: &protocol.Release{Broken: strings.Repeat("x", 1<<20)}}
	}), exit.DesiredInvalid, "releases of more than 64 MiB"},
	"one message of 4 GiB": {func() {
		_, _ = os.Stdout.Write([]byte{0xff, 0xff, 0xff, 0xff})
		for range 64 {
			_, _ = os.Stdout.Write(make([]byte, 1<<20))
		}
	}, exit.DesiredInvalid, "more than 18 MiB in one message"},
	"one message of many maps": {func() {
		const frame, list = 16 << 20, 1 << 20 // bytes; each map has one
		lists := frame / list
		_, _ = os.Stdout.Write([]byte{1, 0, 0, byte(9 + 5*lists), 0xa1, 0x66, 'S', 'e', 'c', 'r', 'e', 't', 0x80 + byte(lists-1)})
		for range lists {
			_, _ = os.Stdout.Write(append([]byte{0x9a, 0, 0x10, 0, 0}, bytes.Repeat([]byte{0xa0}, list)...))
		}
	}, exit.DesiredInvalid, "more than 2097152 values"},
	"endless errors": {func() {
		for range 1 << 10 {
			fmt.Fprint(os.Stderr, strings.Repeat("x", 1<<20))
		}
	}, exit.DesiredInvalid, "ended without an answer"},
	"nothing": {func() { time.Sleep(time.Hour) }, exit.Unexpected, "the run is over"},
	"a closed pipe": {func() {
		_ = os.Stdout.Close()
		time.Sleep(time.Hour)
	}, exit.DesiredInvalid, "was killed"},
	"another code":            {answers(protocol.Answer{Code: 99, Reason: "made up"}), exit.DesiredInvalid, "made up"},
	"the code of success":     {answers(protocol.Answer{Reason: "made up"}), exit.DesiredInvalid, "made up"},
	"the code of a held lock": {answers(protocol.Answer{Code: int(exit.Locked), Reason: "made up"}), exit.DesiredInvalid, "made up"},
	"the code of a deadline":  {answers(protocol.Answer{Code: int(exit.Deadline), Reason: "made up"}), exit.DesiredInvalid, "made up"},
	"no reason":               {answers(protocol.Answer{}), exit.DesiredInvalid, "gave no reason"},
}

// flood sends messages until the agent closes the pipe.
func flood(message func(int) protocol.Message) func() {
	return func() {
		out := child.NewWriter(os.Stdout, protocol.Bounds)
		for i := 0; out.Send(message(i)) == nil; i++ {
		}
	}
}

func answers(answer protocol.Answer) func() {
	return func() { _ = child.NewWriter(os.Stdout, protocol.Bounds).Send(protocol.Message{Answer: &answer}) }
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
		Charts: store, Keys: &secrets.Keys{}, Mask: &mask.Mask{}, Log: slog.New(slog.DiscardHandler),
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
		t.Error("the result does not say how the loader was confined")
	}
}

// TestTheAgentSurvivesItsLoader checks that the agent ends in time, with a code that the loader may return and with the reason.
func TestTheAgentSurvivesItsLoader(t *testing.T) {
	for name, hostile := range hostiles {
		t.Run(name, func(t *testing.T) {
			t.Setenv(behaviour, name)
			req := request(t, map[string]string{"helmfile.yaml": "releases: []\n"})
			timeout := time.Minute
			if name == "nothing" {
				timeout = time.Second
			}
			over := errors.New("the run is over")
			ctx, cancel := context.WithTimeoutCause(t.Context(), timeout, over)
			defer cancel()
			l, err := Start(t.TempDir(), []string{behaviour})
			check(t, err)
			_, err = l.Load(ctx, req)
			if code := exit.Of(err); err == nil || code != hostile.code || !strings.Contains(err.Error(), hostile.want) {
				t.Errorf("got %.300v with %d, want %q with %d", err, code, hostile.want, hostile.code)
			}
			if errors.Is(err, over) != (name == "nothing") {
				t.Errorf("only a loader that does nothing may run until the run ends: got %.300v", err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error contains a secret: %v", err)
			}
			if !l.Ended() {
				t.Error("the process still runs")
			}
		})
	}
}

// TestLimits checks that memory and CPU time of the loader are limited, and that the message names the file and the limit.
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

// TestNothingOfTheAgentReachesTheLoader checks that template functions cannot read the agent's environment, files and file descriptors, but
// can read files of the repository.
func TestNothingOfTheAgentReachesTheLoader(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "token")
	check(t, os.WriteFile(outside, []byte("canary-token"), 0o644))
	opened, err := os.Open(outside)
	check(t, err)
	defer func() { _ = opened.Close() }()
	t.Setenv("CANARY", "canary-variable")
	t.Setenv("ALLOWED", "allowed-variable")
	const refused = "outside of the repository"
	for name, test := range map[string]struct {
		state string // DIR is the checkout
		want  string // in the error; empty if it loads
	}{
		"an absolute path":             {`{{ readFile "` + outside + `" }}`, refused},
		"an absolute path, its own":    {`{{ readFile "DIR/own/file" }}`, ""},
		"a relative path":              {`{{ readFile "../../../../../../../../` + outside + `" }}`, refused},
		"a relative path, its own":     {`{{ readFile "own/../own/file" }}`, ""},
		"the loader's environment":     {`{{ readFile "/proc/self/environ" }}`, refused},
		"the agent's environment":      {fmt.Sprintf(`{{ readFile "/proc/%d/environ" }}`, os.Getpid()), refused},
		"a descriptor":                 {fmt.Sprintf(`{{ readFile "/proc/self/fd/%d" }}`, opened.Fd()), refused},
		"a directory":                  {`{{ readDir "` + filepath.Dir(outside) + `" }}`, refused},
		"a directory, its own":         {`{{ readDir "DIR/own" }}`, ""},
		"a secret reference":           {`{{ fetchSecretValue "ref+file://` + outside + `" }}`, refused},
		"a secret reference, its own":  {`{{ fetchSecretValue "ref+file://own/file" }}`, ""},
		"a required variable":          {`{{ requiredEnv "CANARY" }}`, "`CANARY` is not set"},
		"a required variable, allowed": {`{{ requiredEnv "ALLOWED" }}`, ""},
		"a variable":                   {`{{ env "CANARY" | required "not there" }}`, "not there"},
		"a variable, allowed":          {`{{ env "ALLOWED" | required "not there" }}`, ""},
		"a program":                    {`{{ tpl "{{ ex` + `ec \"/bin/cat\" (list \"` + outside + `\") }}" . }}`, "/bin/cat is " + refused},
		"a template, its own":          {`{{ tpl "{{ add 1 2 }}" . }}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var output bytes.Buffer
			req := request(t, map[string]string{"own/file": "own"})
			state := "# " + strings.ReplaceAll(test.state, "DIR", req.Dir) + "\nreleases: []\n"
			check(t, os.WriteFile(filepath.Join(req.Dir, "helmfile.yaml.gotmpl"), []byte(state), 0o600))
			req.Log = slog.New(slog.NewTextHandler(&output, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := load(t, req, "ALLOWED")
			if test.want == "" && err != nil {
				t.Errorf("got %v", err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if strings.Contains(fmt.Sprint(err)+output.String(), "canary-") {
				t.Errorf("got %v\n%s", err, output.String())
			}
		})
	}
}

// TestValuesMayNameABinary checks that only a state file is refused: helmfile does not execute what values name.
func TestValuesMayNameABinary(t *testing.T) {
	files := map[string]string{
		"helmfile.yaml":  "releases:\n- name: web\n  chart: ./web\n  values:\n  - values.yaml\n",
		"values.yaml":    "kustomizeBinary: /usr/bin/kustomize\nreplicas: 2\n",
		"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
	}
	set, err := load(t, request(t, files))
	if err != nil || len(set.Releases) != 1 || set.Releases[0].Values["kustomizeBinary"] != "/usr/bin/kustomize" {
		t.Errorf("got %+v, %v", set.Releases, err)
	}
}
