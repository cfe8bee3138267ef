package decryption

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
)

// fakeAgent decrypts each file to its content in upper case, and records the requests.
type fakeAgent struct {
	requests []broker.EncryptedFile
	err      error
}

func (a *fakeAgent) Decrypt(_ context.Context, file broker.EncryptedFile) ([]byte, error) {
	a.requests = append(a.requests, file)
	if a.err != nil {
		return nil, a.err
	}
	return bytes.ToUpper(file.Content), nil
}

func allowAll(string) error { return nil }

func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret.yaml")
	if err := os.WriteFile(file, []byte("encrypted"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := file + ".missing"
	outside := errors.New("it is outside of the repository")
	for name, test := range map[string]struct {
		path  string
		agent error
		check error
		want  string // the error; empty if the file is decrypted
		sent  bool   // the agent got the content
	}{
		"a file":                            {path: file, sent: true},
		"a file that the agent cannot read": {path: file, agent: errors.New("cannot decrypt secret.yaml: no key"), want: "cannot decrypt secret.yaml: no key", sent: true},
		"a missing file":                    {path: missing, want: "cannot decrypt " + missing + ": open " + missing + ": no such file or directory"},
		"a file outside of the repository":  {path: file, check: outside, want: "it is outside of the repository"},
	} {
		t.Run(name, func(t *testing.T) {
			agent := &fakeAgent{err: test.agent}
			d := NewDecrypter(t.Context(), agent, func(string) error { return test.check }, slog.New(slog.DiscardHandler))
			plain, err := d.File(test.path, "yaml")
			var wantRequests []broker.EncryptedFile
			if test.sent {
				wantRequests = []broker.EncryptedFile{{Name: file, Format: "yaml", Content: []byte("encrypted")}}
			}
			if diff := cmp.Diff(wantRequests, agent.requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if test.want == "" {
				if string(plain) != "ENCRYPTED" || err != nil || d.Failures() != nil {
					t.Errorf("got %q, %v, failures %v", plain, err, d.Failures())
				}
				return
			}
			if fmt.Sprint(err) != test.want || plain != nil || fmt.Sprint(d.Failures()) != test.want {
				t.Errorf("got %q, %v, failures %v", plain, err, d.Failures())
			}
		})
	}
}

func TestFailuresAreCollected(t *testing.T) {
	agent := &fakeAgent{err: errors.New("no key for two")}
	d := NewDecrypter(t.Context(), agent, allowAll, slog.New(slog.DiscardHandler))
	if d.Failures() != nil {
		t.Errorf("got %v before any failure", d.Failures())
	}
	d.AddFailure("no key for one")
	if _, err := d.Content("two", "", nil); err == nil {
		t.Error("the agent's error was dropped")
	}
	agent.err = nil
	if _, err := d.Content("three", "", nil); err != nil {
		t.Error(err)
	}
	if got, want := fmt.Sprint(d.Failures()), "no key for one\nno key for two"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWarningAboutDisk checks that the warning comes once, and only if something was decrypted.
func TestWarningAboutDisk(t *testing.T) {
	for dir, warns := range map[string]bool{"/dev/shm": false, "/proc": true, "/does/not/exist": true} {
		t.Run(dir, func(t *testing.T) {
			t.Setenv("TMPDIR", dir)
			var log bytes.Buffer
			agent := &fakeAgent{err: errors.New("no key")}
			d := NewDecrypter(t.Context(), agent, allowAll, slog.New(slog.NewTextHandler(&log, nil)))
			if _, err := d.Content("a", "", nil); err == nil || log.Len() > 0 {
				t.Errorf("nothing was decrypted: got %v and %s", err, &log)
			}
			agent.err = nil
			for range 2 {
				if _, err := d.Content("a", "", nil); err != nil {
					t.Fatal(err)
				}
			}
			want := 0
			if warns {
				want = 1
			}
			if got := strings.Count(log.String(), "secrets are decrypted into a directory on a disk: mount memory there, or set TMPDIR\" dir="+dir+"\n"); got != want {
				t.Errorf("got %d warnings: %s", got, &log)
			}
		})
	}
}
