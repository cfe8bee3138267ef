package servers

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestGitHTTPIsCloned(t *testing.T) {
	for how, opts := range access {
		t.Run(how, func(t *testing.T) {
			root := t.TempDir()
			sha := commit(t, newRepo(t, root), map[string]string{"helmfile.yaml": "releases: []\n"})
			server := gitHTTP(t, root, opts)
			to := filepath.Join(t.TempDir(), "clone")
			url := withLogin(server.RepoURL("tenant/config.git"), opts)
			_, err := git(t.TempDir(), nil, trusting(t, server, "clone", "--quiet", url, to)...)
			ok(t, err)
			if got, err := git(to, nil, "rev-parse", "HEAD"); err != nil || got != sha {
				t.Errorf("cloned %s, %v, want %s", got, err, sha)
			}
			if got := read(t, to, "helmfile.yaml"); got != "releases: []\n" {
				t.Errorf("file %q", got)
			}
			if !slices.Contains(server.Requests(), "POST /tenant/config.git/git-upload-pack") {
				t.Errorf("requests %q: not smart HTTP", server.Requests())
			}
		})
	}
}

func TestGitHTTPRefuses(t *testing.T) {
	root := t.TempDir()
	commit(t, newRepo(t, root), map[string]string{"a": "1"})
	closed := gitHTTP(t, root, access["with a password"])
	encrypted := gitHTTP(t, root, access["with TLS"])
	open := gitHTTP(t, root, Options{})
	cases := map[string]struct {
		args []string
		want string
	}{
		"a client without the password":  {[]string{"ls-remote", closed.RepoURL("tenant/config.git")}, "could not read Username"},
		"a client without the authority": {[]string{"ls-remote", encrypted.RepoURL("tenant/config.git")}, "certificate"},
		"a repository that is absent":    {[]string{"ls-remote", open.RepoURL("absent.git")}, "not found"},
		"a way out of the root":          {[]string{"ls-remote", open.URL + "/%2e%2e/" + filepath.Base(root) + "/tenant/config.git"}, "fatal"},
		"a push":                         {[]string{"push", open.RepoURL("tenant/config.git"), "main:other"}, "403"},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			_, err := git(filepath.Join(root, "tenant", "config.git"), nil, c.args...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func gitHTTP(t *testing.T, root string, opts Options) *GitHTTP {
	t.Helper()
	server, err := NewGitHTTP(root, opts)
	ok(t, err)
	t.Cleanup(server.Close)
	return server
}

// trusting adds options to a git command that make git trust the server's authority.
func trusting(t *testing.T, server *GitHTTP, args ...string) []string {
	t.Helper()
	if ca := caFile(t, server.HTTP); ca != "" {
		return append([]string{"-c", "http.sslCAInfo=" + ca}, args...)
	}
	return args
}
