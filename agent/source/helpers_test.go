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

// gitEnv makes git ignore the configuration of the developer.
var gitEnv = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
	"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
	"GIT_COMMITTER_NAME=Bob", "GIT_COMMITTER_EMAIL=bob@example.org", "GIT_COMMITTER_DATE=2026-01-02T05:04:05+02:00")

func runGit(t *testing.T, dir string, args ...string) string {
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

// gitWithInput is runGit with a file as its input.
func gitWithInput(t *testing.T, dir, file string, args ...string) string {
	t.Helper()
	input, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = input.Close() }()
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
	runGit(t, dir, "add", "-A")
	runGit(t, dir, "commit", "-qm", message)
	return runGit(t, dir, "rev-parse", "HEAD")
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
	runGit(t, root, "init", "-q", "-b", "main", "config")
	if err := os.Symlink("helmfile.yaml", filepath.Join(e.dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	e.first = commit(t, e.dir, "helmfile.yaml", "first", "first\n\nwith a body")
	runGit(t, e.dir, "tag", "light")
	runGit(t, e.dir, "tag", "-am", "release", "annotated")
	runGit(t, e.dir, "tag", "-am", "a tag of a tag", "nested", "annotated")
	runGit(t, e.dir, "tag", "twin")
	runGit(t, e.dir, "checkout", "-qb", "feature")
	e.feature = commit(t, e.dir, "helmfile.yaml", "feature", "feature")
	runGit(t, e.dir, "branch", "twin")
	runGit(t, e.dir, "checkout", "-q", "main")
	e.second = commit(t, e.dir, "helmfile.yaml", "second", "second")
	e.third = commit(t, e.dir, "helmfile.yaml", "third", "third")
	return e
}

// httpBackend serves the repositories below root with git's CGI program. If the password is not empty, it is required.
func httpBackend(t *testing.T, root, password string) http.Handler {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal("git is needed: ", err)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Stderr: t.Output(),
		Env: append([]string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"}, gitEnv...)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, sent, _ := r.BasicAuth(); password != "" && sent != password {
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

// sshServer is a git server over SSH.
type sshServer struct {
	address    string
	keyFile    string // a private key that the server accepts
	knownHosts string // a file with the host key
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
	// The client does not know the second host key, so it must ask only for the algorithm of the first one.
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
	go func() { _ = server.Serve(listener) }() // returns ErrServerClosed
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
	stdin, err := cmd.StdinPipe() // with cmd.Stdin = session, Run would wait for the client if git ends first
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

func timeout30s(t *testing.T) context.Context {
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

// defaultLimits are larger than the repositories of most tests.
var defaultLimits = Limits{Files: 1000, Size: 16 << 20, FileSize: 4 << 20}

// cloneWithLimits is Clone with the default limits, unless the request has other limits.
func cloneWithLimits(ctx context.Context, req Request, dir string) (Checkout, error) {
	if req.Limits == (Limits{}) {
		req.Limits = defaultLimits
	}
	return Clone(ctx, req, dir)
}
