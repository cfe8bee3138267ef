package source

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// gitEnv keeps the developer's own git configuration out.
var gitEnv = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
	"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
	"GIT_COMMITTER_NAME=Bob", "GIT_COMMITTER_EMAIL=bob@example.org", "GIT_COMMITTER_DATE=2026-01-02T05:04:05+02:00")

func git_(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
	cmd.Env = gitEnv
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// gitWithInput is git_ with a file as its input.
func gitWithInput(t *testing.T, dir, file string, args ...string) string {
	t.Helper()
	input, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
	cmd.Env, cmd.Stdin = gitEnv, input
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// commit writes file with its content and commits it.
func commit(t *testing.T, dir, file, content, message string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	git_(t, dir, "add", "-A")
	git_(t, dir, "commit", "-qm", message)
	return git_(t, dir, "rev-parse", "HEAD")
}

// example is a work tree at root/config with this history:
//
//	main:    first (tags: light, annotated, nested → annotated) — second — third
//	feature: first — feature
//	both a branch and a tag: twin (branch at feature, tag at first)
type example struct {
	root, dir                     string
	first, second, third, feature string
}

func newExample(t *testing.T) example {
	t.Helper()
	root := t.TempDir()
	e := example{root: root, dir: filepath.Join(root, "config")}
	git_(t, root, "init", "-q", "-b", "main", "config")
	if err := os.Symlink("helmfile.yaml", filepath.Join(e.dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	e.first = commit(t, e.dir, "helmfile.yaml", "first", "first\n\nwith a body")
	git_(t, e.dir, "tag", "light")
	git_(t, e.dir, "tag", "-am", "release", "annotated")
	git_(t, e.dir, "tag", "-am", "a tag of a tag", "nested", "annotated")
	git_(t, e.dir, "tag", "twin")
	git_(t, e.dir, "checkout", "-qb", "feature")
	e.feature = commit(t, e.dir, "helmfile.yaml", "feature", "feature")
	git_(t, e.dir, "branch", "twin")
	git_(t, e.dir, "checkout", "-q", "main")
	e.second = commit(t, e.dir, "helmfile.yaml", "second", "second")
	e.third = commit(t, e.dir, "helmfile.yaml", "third", "third")
	return e
}

// httpBackend serves the repositories under root with git's own CGI program, behind a password if there is one.
func httpBackend(t *testing.T, root, password string) http.Handler {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal("git is needed: ", err)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Stderr: t.Output(),
		Env: append([]string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"}, gitEnv...)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, given, _ := r.BasicAuth(); password != "" && given != password {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, "<html>a whole page</html>")
			return
		}
		backend.ServeHTTP(w, r)
	})
}

func serveHTTP(t *testing.T, root, password string) string {
	t.Helper()
	server := httptest.NewServer(httpBackend(t, root, password))
	t.Cleanup(server.Close)
	return server.URL
}

// sshServer is a git server over SSH with what a client needs to know about it.
type sshServer struct {
	address    string
	keyFile    string // a private key that it lets in
	knownHosts string
}

func serveSSH(t *testing.T, root string) sshServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := sshServer{address: listener.Addr().String(), keyFile: filepath.Join(t.TempDir(), "key"),
		knownHosts: filepath.Join(t.TempDir(), "known_hosts")}
	host, user := newKey(t, filepath.Join(t.TempDir(), "host")), newKey(t, s.keyFile)
	// A second host key, unknown to the client: only the algorithms of the known one may be asked for.
	other := newRSAKey(t)
	server := &ssh.Server{
		Handler: func(session ssh.Session) { uploadPack(session, root) },
		PublicKeyHandler: func(_ ssh.Context, key ssh.PublicKey) bool {
			return ssh.KeysEqual(key, user.PublicKey())
		},
	}
	server.AddHostKey(other)
	server.AddHostKey(host)
	line := knownhosts.Line([]string{s.address}, host.PublicKey())
	if err := os.WriteFile(s.knownHosts, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }() // ends with ErrServerClosed
	t.Cleanup(func() { _ = server.Close() })
	return s
}

func uploadPack(session ssh.Session, root string) {
	words := session.Command()
	if len(words) != 2 || words[0] != "git-upload-pack" {
		_ = session.Exit(1)
		return
	}
	cmd := exec.Command("git", "upload-pack", filepath.Join(root, words[1]))
	cmd.Env, cmd.Stdout, cmd.Stderr = gitEnv, session, session.Stderr()
	stdin, err := cmd.StdinPipe() // cmd.Stdin = session would wait for the client where git ends first
	if err != nil {
		_ = session.Exit(1)
		return
	}
	go func() { _, _ = io.Copy(stdin, session); _ = stdin.Close() }()
	if err := cmd.Run(); err != nil {
		_ = session.Exit(128)
	}
}

func newKey(t *testing.T, file string) gossh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := gossh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func within30s(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newRSAKey(t *testing.T) gossh.Signer {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// usual are limits that no test repository reaches by accident.
var usual = Limits{Files: 1000, Size: 16 << 20, FileSize: 4 << 20}

// cloneBounded is Clone with the usual limits, unless the request has its own.
func cloneBounded(ctx context.Context, req Request, dir string) (Checkout, error) {
	if req.Limits == (Limits{}) {
		req.Limits = usual
	}
	return Clone(ctx, req, dir)
}
