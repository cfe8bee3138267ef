package servers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/transport"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"github.com/google/go-cmp/cmp"
	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func TestGitSSHIsCloned(t *testing.T) {
	root := t.TempDir()
	sha := commit(t, newRepo(t, root), map[string]string{"helmfile.yaml": "releases: []\n"})
	server := gitSSH(t, root)
	for how, auth := range map[string]transport.AuthMethod{
		"by key":      byKey(t, server, server.ClientKey),
		"by password": byPassword(t, server, server.Password),
	} {
		t.Run(how, func(t *testing.T) {
			server.Forget()
			clone, err := cloneSSH(t, server.RepoURL("tenant/config.git"), auth)
			ok(t, err)
			head, err := clone.Head()
			ok(t, err)
			if head.Hash().String() != sha {
				t.Errorf("cloned %s, want %s", head.Hash(), sha)
			}
			want := []string{"git-upload-pack /tenant/config.git"}
			if diff := cmp.Diff(want, server.Requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGitSSHRefuses(t *testing.T) {
	base := t.TempDir()
	root := filepath.Join(base, "root")
	newRepo(t, root)
	commit(t, newRepo(t, base), map[string]string{"a": "1"})
	ok(t, os.Symlink(filepath.Join(base, "tenant"), filepath.Join(root, "linked")))
	server, other := gitSSH(t, root), gitSSH(t, root)
	key := byKey(t, server, server.ClientKey)
	cases := map[string]struct {
		path string
		auth transport.AuthMethod
		want string
	}{
		"an unknown key":          {"tenant/config.git", byKey(t, server, other.ClientKey), "unable to authenticate"},
		"a wrong password":        {"tenant/config.git", byPassword(t, server, other.Password), "unable to authenticate"},
		"to be taken for another": {"tenant/config.git", byKey(t, other, server.ClientKey), "key"},
		"a path out of the root":  {"../tenant/config.git", key, "repository"},
		"a link out of the root":  {"linked/config.git", key, "repository"},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			_, err := cloneSSH(t, server.RepoURL(c.path), c.auth)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestGitSSHHasNoShell(t *testing.T) {
	root := t.TempDir()
	newRepo(t, root)
	server := gitSSH(t, root)
	config, err := byKey(t, server, server.ClientKey).ClientConfig()
	ok(t, err)
	client, err := gossh.Dial("tcp", strings.TrimPrefix(server.URL, "ssh://git@"), config)
	ok(t, err)
	defer func() { _ = client.Close() }() // the test is over
	for _, command := range []string{"id", "git-receive-pack '/tenant/config.git'", "git-upload-pack /tenant/config.git; id", ""} {
		session, err := client.NewSession()
		ok(t, err)
		output, err := session.CombinedOutput(command)
		if err == nil || strings.Contains(string(output), "uid=") {
			t.Errorf("command %q: %q, %v", command, output, err)
		}
	}
	if got := server.Requests(); len(got) != 0 {
		t.Errorf("requests %q", got)
	}
}

func gitSSH(t *testing.T, root string) *GitSSH {
	t.Helper()
	server, err := NewGitSSH(root)
	ok(t, err)
	t.Cleanup(server.Close)
	return server
}

func byKey(t *testing.T, server *GitSSH, key []byte) *gitssh.PublicKeys {
	t.Helper()
	auth, err := gitssh.NewPublicKeys("git", key, "")
	ok(t, err)
	auth.HostKeyCallback = trusted(t, server)
	return auth
}

func byPassword(t *testing.T, server *GitSSH, password string) *gitssh.Password {
	t.Helper()
	auth := &gitssh.Password{User: "git", Password: password}
	auth.HostKeyCallback = trusted(t, server)
	return auth
}

func trusted(t *testing.T, server *GitSSH) gossh.HostKeyCallback {
	t.Helper()
	path := filepath.Join(t.TempDir(), "known_hosts")
	ok(t, os.WriteFile(path, []byte(server.KnownHosts+"\n"), 0o600))
	callback, err := knownhosts.New(path)
	ok(t, err)
	return callback
}

func cloneSSH(t *testing.T, url string, auth transport.AuthMethod) (*gogit.Repository, error) {
	t.Helper()
	return gogit.PlainCloneContext(t.Context(), t.TempDir(), false, &gogit.CloneOptions{URL: url, Auth: auth})
}
