package source

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

func TestRefs(t *testing.T) {
	e := newExample(t)
	server := serveHTTP(t, e.root, "")
	for name, test := range map[string]struct{ ref, commit, content, shown string }{
		"no ref":                              {"", e.third, "third", "main"},
		"HEAD":                                {"HEAD", e.third, "third", "main"},
		"a branch":                            {"feature", e.feature, "feature", "feature"},
		"a lightweight tag":                   {"light", e.first, "first", "light"},
		"an annotated tag":                    {"annotated", e.first, "first", "annotated"},
		"a tag of a tag":                      {"nested", e.first, "first", "nested"},
		"a full ref":                          {"refs/heads/feature", e.feature, "feature", "refs/heads/feature"},
		"a full ref of a tag":                 {"refs/tags/twin", e.first, "first", "refs/tags/twin"},
		"a branch and a tag of the same name": {"twin", e.feature, "feature", "twin"},
		"a commit that a branch points to":    {e.feature, e.feature, "feature", e.feature},
		"a commit in capitals":                {strings.ToUpper(e.feature), e.feature, "feature", strings.ToUpper(e.feature)},
		"a commit that only a tag points to":  {e.first, e.first, "first", e.first},
		"a commit that no ref points to":      {e.second, e.second, "second", e.second},
		"an abbreviated commit":               {e.second[:8], e.second, "second", e.second[:8]},
		"an abbreviated commit that a branch points to": {e.third[:7], e.third, "third", e.third[:7]},
	} {
		for transport, repo := range map[string]string{
			"http": server + "/config", "file": "file://" + e.dir, "path": e.dir, "bare": filepath.Join(e.dir, ".git"),
		} {
			t.Run(name+"/"+transport, func(t *testing.T) {
				dir := t.TempDir()
				got, err := cloneWithLimits(timeout30s(t), Request{Repo: repo, Ref: test.ref}, dir)
				if err != nil {
					t.Fatal(err)
				}
				content, err := os.ReadFile(filepath.Join(dir, "link.yaml"))
				want := []string{test.commit, test.content, test.shown, dir, "<nil>"}
				if diff := cmp.Diff(want, []string{got.Commit, string(content), got.Ref, got.Dir, fmt.Sprint(err)}); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestRevisionOfClone(t *testing.T) {
	e := newExample(t)
	got, err := cloneWithLimits(timeout30s(t), Request{Repo: "file://" + e.dir, Ref: "light"}, t.TempDir())
	want := Revision{Repo: "file://" + e.dir, Ref: "light", Commit: e.first, Author: "Ada", Subject: "first",
		Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	if diff := cmp.Diff(want, got.Revision); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestCommitIsFetchedWithoutHistoryIfServerPermits(t *testing.T) {
	e := newExample(t)
	runGit(t, e.dir, "config", "uploadpack.allowReachableSHA1InWant", "true")
	dir := t.TempDir()
	_, err := cloneWithLimits(timeout30s(t), Request{Repo: serveHTTP(t, e.root, "") + "/config", Ref: e.second}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if count := runGit(t, dir, "rev-list", "--all", "--count"); count != "1" {
		t.Errorf("%s commits were fetched, want 1", count)
	}
}

func TestBranchIsFetchedWithoutHistory(t *testing.T) {
	e := newExample(t)
	for i := range 100 {
		runGit(t, e.dir, "commit", "-q", "--allow-empty", "-m", fmt.Sprint("commit ", i))
	}
	dir := t.TempDir()
	got, err := cloneWithLimits(timeout30s(t), Request{Repo: serveHTTP(t, e.root, "") + "/config"}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if count := runGit(t, dir, "rev-list", "--count", got.Commit); count != "1" {
		t.Errorf("%s commits were fetched, want 1", count)
	}
	if status := runGit(t, dir, "status", "--porcelain"); status != "" {
		t.Errorf("the checkout is not clean:\n%s", status)
	}
}

func TestDetachedHEAD(t *testing.T) {
	e := newExample(t)
	runGit(t, e.dir, "checkout", "-q", e.second)
	for _, repo := range []string{serveHTTP(t, e.root, "") + "/config", e.dir} {
		got, err := cloneWithLimits(timeout30s(t), Request{Repo: repo}, t.TempDir())
		if err != nil || got.Commit != e.second || got.Ref != "HEAD" {
			t.Errorf("%s: got %v, %v", repo, got, err)
		}
		got, err = cloneWithLimits(timeout30s(t), Request{Repo: repo, Ref: "feature"}, t.TempDir())
		if err != nil || got.Commit != e.feature {
			t.Errorf("%s: got %v, %v", repo, got, err)
		}
	}
}

func TestCloneOfLinkedWorkTree(t *testing.T) {
	e := newExample(t)
	linked := filepath.Join(e.root, "linked")
	runGit(t, e.dir, "worktree", "add", "-q", linked, "feature")
	got, err := cloneWithLimits(timeout30s(t), Request{Repo: linked}, t.TempDir())
	if err != nil || got.Commit != e.feature {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCloneErrors(t *testing.T) {
	e := newExample(t)
	runGit(t, e.root, "init", "-q", "--bare", "empty")
	open, locked := serveHTTP(t, e.root, ""), serveHTTP(t, e.root, "hunter2")
	tls := httptest.NewTLSServer(httpBackend(t, e.root, ""))
	defer tls.Close()
	for name, test := range map[string]struct {
		req     Request
		code    exit.Code
		message string
	}{
		"a branch that does not exist": {Request{Repo: open + "/config", Ref: "mian"}, exit.SourceRefused,
			`there is no branch, tag or commit "mian"; the branches are feature, main, twin`},
		"a commit that does not exist": {Request{Repo: open + "/config", Ref: strings.Repeat("a", 40)}, exit.SourceRefused,
			`there is no branch, tag or commit "` + strings.Repeat("a", 40) + `"; the branches are feature, main, twin`},
		"an abbreviated commit that does not exist": {Request{Repo: e.dir, Ref: "aaaaaaaa"}, exit.SourceRefused,
			`there is no branch, tag or commit "aaaaaaaa"; the branches are feature, main, twin`},
		"a missing repository":              {Request{Repo: open + "/nothing"}, exit.SourceUnreachable, "repository not found"},
		"a missing directory":               {Request{Repo: "file:///nowhere/at/all"}, exit.SourceUnreachable, "repository not found"},
		"a directory that is no repository": {Request{Repo: e.root}, exit.SourceUnreachable, "repository not found"},
		"an empty repository":               {Request{Repo: open + "/empty"}, exit.SourceUnreachable, "the repository is empty"},
		"an empty directory":                {Request{Repo: filepath.Join(e.root, "empty")}, exit.SourceUnreachable, "the repository is empty"},
		"a closed port":                     {Request{Repo: "http://" + closedPort(t) + "/config"}, exit.SourceUnreachable, "connection refused"},
		"a closed port of git":              {Request{Repo: "git://" + closedPort(t) + "/config"}, exit.SourceUnreachable, "connection refused"},
		"a host that does not exist":        {Request{Repo: "https://nowhere.invalid/config"}, exit.SourceUnreachable, "nowhere.invalid"},
		"no credentials":                    {Request{Repo: locked + "/config"}, exit.SourceRefused, "authentication required"},
		"a wrong password": {Request{Repo: locked + "/config", Auth: Auth{Username: "ada", Password: "swordfish", AllowPlainHTTP: true}},
			exit.SourceRefused, "authentication required"},
		"an unknown certificate authority": {Request{Repo: tls.URL + "/config"}, exit.SourceRefused, "certificate is not trusted"},
		"a CA file without a certificate": {Request{Repo: tls.URL + "/config", Auth: Auth{CAFile: filepath.Join(e.dir, "helmfile.yaml")}},
			exit.ConfigInvalid, "contains no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cloneWithLimits(timeout30s(t), test.req, t.TempDir())
			expectRefusal(t, err, test.code, "clone "+test.req.Repo+": ", test.message)
			if strings.Contains(err.Error(), "swordfish") || strings.Contains(err.Error(), "<html>") {
				t.Errorf("the message contains the password or the page: %v", err)
			}
		})
	}
}

func expectRefusal(t *testing.T, err error, code exit.Code, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if exit.Of(err) != code {
		t.Errorf("exit code %v, want %v: %v", exit.Of(err), code, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not contain %q", err, part)
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestContextEndsClone(t *testing.T) {
	e := newExample(t)
	unresponsive, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer unresponsive.Close()
	known := filepath.Join(t.TempDir(), "known")
	if err := os.WriteFile(known, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, repo := range map[string]string{
		"before the clone": e.dir,
		"over http":        "http://" + unresponsive.Addr().String() + "/config",
		"over git":         "git://" + unresponsive.Addr().String() + "/config",
		"over ssh":         "ssh://git@" + unresponsive.Addr().String() + "/config",
	} {
		t.Run(name, func(t *testing.T) {
			req := Request{Repo: repo, Auth: Auth{KnownHostsFile: known, Password: "x", AllowPlainHTTP: true}}
			timeout := 100 * time.Millisecond
			if repo == e.dir {
				timeout = 0
			}
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			_, err := cloneWithLimits(ctx, req, t.TempDir())
			expectRefusal(t, err, exit.SourceUnreachable, "no answer in time")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v does not wrap the deadline", err)
			}
			cancelled, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err = cloneWithLimits(cancelled, req, t.TempDir()); !errors.Is(err, context.Canceled) || exit.Of(err) != exit.Unexpected {
				t.Errorf("cancelled: %v", err)
			}
		})
	}
}

func TestCredentialsAreNotStored(t *testing.T) {
	e := newExample(t)
	server := serveHTTP(t, e.root, "hunter2")
	for name, req := range map[string]Request{
		"in Auth":    {Repo: server + "/config", Auth: Auth{Username: "ada", Password: "hunter2", AllowPlainHTTP: true}},
		"a token":    {Repo: server + "/config", Auth: Auth{Password: "hunter2", AllowPlainHTTP: true}},
		"in the URL": {Repo: strings.Replace(server, "://", "://ada:hunter2@", 1) + "/config", Auth: Auth{AllowPlainHTTP: true}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			got, err := cloneWithLimits(timeout30s(t), req, dir)
			if err != nil || got.Repo != server+"/config" {
				t.Fatalf("got %v, %v", got, err)
			}
			if out, err := exec.Command("grep", "-r", "hunter2", dir).Output(); err == nil {
				t.Errorf("the password is in the clone: %s", out)
			}
		})
	}
}

func TestCAFile(t *testing.T) {
	e := newExample(t)
	server := httptest.NewTLSServer(httpBackend(t, e.root, ""))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := cloneWithLimits(timeout30s(t), Request{Repo: server.URL + "/config", Auth: Auth{CAFile: file}}, t.TempDir())
	if err != nil || got.Commit != e.third {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSSH(t *testing.T) {
	e := newExample(t)
	server, stranger := serveSSH(t, e.root), serveSSH(t, e.root)
	_, strangersPort, _ := net.SplitHostPort(stranger.address)
	wrongKnown := filepath.Join(t.TempDir(), "known")
	known, err := os.ReadFile(server.knownHosts)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(server.address)
	if err := os.WriteFile(wrongKnown, []byte(strings.Replace(string(known), port, strangersPort, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		address, path string
		auth          Auth
		code          exit.Code
		message       string
	}{
		"a known host":        {server.address, "/config", Auth{SSHKeyFile: server.keyFile, KnownHostsFile: server.knownHosts}, exit.Converged, ""},
		"no known hosts":      {server.address, "/config", Auth{SSHKeyFile: server.keyFile}, exit.SourceRefused, "ssh-keyscan -p " + port + " 127.0.0.1 > known_hosts"},
		"an unknown host":     {stranger.address, "/config", Auth{SSHKeyFile: stranger.keyFile, KnownHostsFile: server.knownHosts}, exit.SourceRefused, "has no key in the file of known hosts"},
		"another key":         {stranger.address, "/config", Auth{SSHKeyFile: stranger.keyFile, KnownHostsFile: wrongKnown}, exit.SourceRefused, "shows another key"},
		"a refused key":       {server.address, "/config", Auth{SSHKeyFile: stranger.keyFile, KnownHostsFile: server.knownHosts}, exit.SourceRefused, "refuses the SSH key"},
		"no credentials":      {server.address, "/config", Auth{KnownHostsFile: server.knownHosts}, exit.SourceRefused, "set gitSSHKeyFile"},
		"no such repository":  {server.address, "/nothing", Auth{SSHKeyFile: server.keyFile, KnownHostsFile: server.knownHosts}, exit.SourceUnreachable, "repository not found"},
		"an invalid key":      {server.address, "/config", Auth{SSHKeyFile: server.knownHosts, KnownHostsFile: server.knownHosts}, exit.ConfigInvalid, "read SSH key"},
		"a missing key":       {server.address, "/config", Auth{SSHKeyFile: "/nowhere", KnownHostsFile: server.knownHosts}, exit.ConfigInvalid, "/nowhere"},
		"missing known hosts": {server.address, "/config", Auth{SSHKeyFile: server.keyFile, KnownHostsFile: "/nowhere"}, exit.ConfigInvalid, "/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			got, err := cloneWithLimits(timeout30s(t), Request{Repo: "ssh://git@" + test.address + test.path, Auth: test.auth}, dir)
			if test.code != exit.Converged {
				expectRefusal(t, err, test.code, test.message)
				return
			}
			if err != nil || got.Commit != e.third {
				t.Fatalf("got %v, %v", got, err)
			}
			if count := runGit(t, dir, "rev-list", "--count", got.Commit); count != "1" {
				t.Errorf("%s commits were fetched, want 1", count)
			}
		})
	}
}

func TestGitDaemon(t *testing.T) {
	e := newExample(t)
	address := closedPort(t)
	_, port, _ := net.SplitHostPort(address)
	daemon := exec.Command("git", "daemon", "--listen=127.0.0.1", "--port="+port, "--base-path="+e.root, "--export-all", "--reuseaddr")
	daemon.Env = gitEnv
	if err := daemon.Start(); err != nil {
		t.Fatal("git daemon, which is a part of git, is needed: ", err)
	}
	defer func() { _ = daemon.Process.Kill(); _ = daemon.Wait() }()
	var got Checkout
	var err error
	for range 50 {
		if got, err = cloneWithLimits(timeout30s(t), Request{Repo: "git://" + address + "/config", Ref: "annotated"}, t.TempDir()); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil || got.Commit != e.first {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = cloneWithLimits(timeout30s(t), Request{Repo: "git://" + address + "/nothing"}, t.TempDir())
	expectRefusal(t, err, exit.SourceUnreachable, "repository not found")
}

func TestDiskErrorHasNoExitCodeOfSource(t *testing.T) {
	e := newExample(t)
	_, err := cloneWithLimits(timeout30s(t), Request{Repo: e.dir}, filepath.Join(e.dir, "helmfile.yaml", "below"))
	expectRefusal(t, err, exit.Unexpected, "not a directory")
}

func TestSubmodulesAreNotFetched(t *testing.T) {
	e := newExample(t)
	for name, gitmodules := range map[string]string{
		"declared":   "[submodule \"lib\"]\n\tpath = lib\n\turl = https://nowhere.invalid/lib\n",
		"undeclared": "",
	} {
		t.Run(name, func(t *testing.T) {
			write(t, e.dir, "other.yaml")
			if err := os.WriteFile(filepath.Join(e.dir, ".gitmodules"), []byte(gitmodules), 0o600); err != nil {
				t.Fatal(err)
			}
			runGit(t, e.dir, "add", "-A")
			runGit(t, e.dir, "update-index", "--add", "--cacheinfo", "160000,"+e.first+",lib")
			runGit(t, e.dir, "commit", "-qm", "submodule")
			dir := t.TempDir()
			if _, err := cloneWithLimits(timeout30s(t), Request{Repo: e.dir}, dir); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, "helmfile.yaml")); err != nil {
				t.Error(err)
			}
			runGit(t, e.dir, "rm", "-q", "--cached", "lib")
		})
	}
}
