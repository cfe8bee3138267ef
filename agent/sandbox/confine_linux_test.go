package sandbox

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// operations are what a confined process tries. Each runs in its own process, because Confine is permanent.
var operations = map[string]func(arg string) error{
	"read":    func(arg string) error { _, err := os.ReadFile(arg); return err },
	"list":    func(arg string) error { _, err := os.ReadDir(arg); return err },
	"write":   func(arg string) error { return os.WriteFile(arg, []byte("x"), 0o600) },
	"large":   func(arg string) error { return os.WriteFile(arg, make([]byte, MaxFile+1), 0o600) },
	"remove":  os.Remove,
	"execute": func(arg string) error { return exec.Command(arg).Run() },
	"connect": func(arg string) error { _, err := net.DialTimeout("tcp", arg, time.Second); return err },
	"signal":  func(string) error { return syscall.Kill(os.Getppid(), 0) },
	"child":   func(arg string) error { return exec.Command(os.Args[0], "try", "read", arg).Run() },
}

// TestMain makes the test binary a confined process if its arguments are: try NAME ARG. An environment variable contains the rules.
func TestMain(m *testing.M) {
	if len(os.Args) < 4 || os.Args[1] != "try" {
		os.Exit(m.Run())
	}
	var rules Rules
	if text := os.Getenv("RULES"); text != "" {
		_ = os.Unsetenv("RULES") // children are confined already
		if err := json.Unmarshal([]byte(text), &rules); err != nil {
			panic(err)
		}
		if _, err := Confine(Required, rules); err != nil {
			panic(err)
		}
	}
	if err := operations[os.Args[2]](os.Args[3]); err != nil {
		_, _ = os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	os.Exit(0)
}

// try runs an operation in a confined process and returns its error, empty for none.
func try(t *testing.T, rules Rules, name, arg string) string {
	t.Helper()
	text, err := json.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(os.Args[0], "try", name, arg)
	cmd.Env, cmd.Stderr = []string{"RULES=" + string(text)}, &stderr
	if err := cmd.Run(); err != nil {
		return stderr.String() + " (" + err.Error() + ")"
	}
	return ""
}

func TestConfine(t *testing.T) {
	allowed, forbidden, writable := t.TempDir(), t.TempDir(), t.TempDir()
	for _, dir := range []string{allowed, forbidden, writable} {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(forbidden, "file"), filepath.Join(allowed, "link")); err != nil {
		t.Fatal(err)
	}
	open, closed := listen(t), listen(t)
	rules := Rules{Executable: os.Args[0], Read: []string{allowed, "/nowhere"}, Write: []string{writable}, Ports: []int{open.Addr().(*net.TCPAddr).Port}}
	for _, test := range []struct {
		operation, arg string
		refused        bool
	}{
		{"read", filepath.Join(allowed, "file"), false},
		{"list", allowed, false},
		{"write", filepath.Join(writable, "new"), false},
		{"remove", filepath.Join(writable, "file"), false},
		{"connect", open.Addr().String(), false},
		{"read", filepath.Join(forbidden, "file"), true},
		{"read", filepath.Join(allowed, "link"), true},
		{"read", "/proc/self/environ", true},
		{"list", forbidden, true},
		{"list", "/", true},
		{"write", filepath.Join(allowed, "new"), true},
		{"write", filepath.Join(forbidden, "new"), true},
		{"remove", filepath.Join(allowed, "file"), true},
		{"execute", "/bin/true", true},
		{"connect", closed.Addr().String(), true},
		{"signal", "", true},
		{"child", filepath.Join(allowed, "file"), false},
		{"child", filepath.Join(forbidden, "file"), true},
	} {
		if err := try(t, rules, test.operation, test.arg); (err != "") != test.refused {
			t.Errorf("%s %s: refused must be %t, got %q", test.operation, test.arg, test.refused, err)
		}
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func TestDescribe(t *testing.T) {
	for version, want := range []string{
		0: "nothing: the kernel has no Landlock",
		1: "partly: files and programs (Landlock version 1)",
		2: "partly: files and programs (Landlock version 2)",
		3: "partly: files and programs (Landlock version 3)",
		4: "partly: files and programs, TCP (Landlock version 4)",
		5: "partly: files and programs, TCP (Landlock version 5)",
		6: "files and programs, TCP, signals and abstract sockets (Landlock version 6)",
		7: "files and programs, TCP, signals and abstract sockets (Landlock version 7)",
	} {
		if got := describe(version); got != want {
			t.Errorf("version %d: %s, want %s", version, got, want)
		}
	}
}

func TestProgramsAreRefusedByDefault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rules := Rules{Read: []string{file}}
	if err := try(t, rules, "read", file); err != "" {
		t.Error(err)
	}
	if err := try(t, rules, "child", file); err == "" {
		t.Error("the process started its own program")
	}
}

func TestFileSizeLimit(t *testing.T) {
	dir := t.TempDir()
	if got := try(t, Rules{Write: []string{dir}}, "large", filepath.Join(dir, "large")); !strings.Contains(got, "file too large") {
		t.Errorf("got %q", got)
	}
}
