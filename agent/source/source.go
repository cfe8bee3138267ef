package source

import (
	"context"
	"fmt"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/source/revision"
)

// Revision says which commit of which repository a checkout is.
type Revision = revision.Revision

// Checkout is a directory of files and the revision they are.
type Checkout struct {
	Dir string
	Revision
}

// Request says what to clone.
type Request struct {
	// Repo is a URL (https, http, ssh, git, file), git@host:path or an absolute path. Credentials in it are used if Auth
	// has none.
	Repo string
	// Ref is a branch, a tag, a full ref (refs/…) or a commit, tried in this order, except that 40 hexadecimal digits are
	// always a commit and 7 to 39 are one if nothing else has the name. So a branch wins over a tag of the same name.
	// Empty means the remote's HEAD.
	Ref    string
	Auth   Auth
	Limits Limits
	Remote egress.Policy // which loopback and link-local addresses a redirect may lead to
}

// Auth says how to prove who we are, and who the server must be. Everything is optional, except KnownHostsFile for SSH.
type Auth struct {
	Username, Password config.Secret
	SSHKeyFile         string // a private key; Password opens it if it is encrypted
	KnownHostsFile     string // the host keys to trust
	CAFile             string // certificate authorities (PEM) to trust beside the system's
	AllowPlainHTTP     bool   // send Username and Password over http too, where the network can read them
}

// Clone puts the commit that req names into dir, which must be empty or not exist. When ctx ends it returns at once;
// something may then still be written into dir for a moment, because go-git cannot always be interrupted.
func Clone(ctx context.Context, req Request, dir string) (Checkout, error) {
	repo, username, password := config.SplitRepo(req.Repo)
	if req.Auth.Username == "" {
		req.Auth.Username = username
	}
	if req.Auth.Password == "" {
		req.Auth.Password = password
	}
	req.Repo = repo

	ctx = withPolicy(ctx, req)
	revision, err := within(ctx, func() (Revision, error) { return clone(ctx, req, dir) })
	if err != nil {
		return Checkout{}, fmt.Errorf("clone %s: %w", repo, classify(ctx, err))
	}
	return Checkout{Dir: dir, Revision: revision}, nil
}
