package source

import (
	"context"
	"fmt"

	"github.com/helmfile-agent/helmfile-agent/agent/config"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/source/limits"
	"github.com/helmfile-agent/helmfile-agent/agent/source/revision"
)

// Revision identifies the commit of a checkout, and its repository.
type Revision = revision.Revision

// Limits are the largest number and sizes of files that the agent accepts.
type Limits = limits.Limits

// Checkout is a directory with the files of a revision.
type Checkout struct {
	Dir string
	Revision
}

// Request says what to clone.
type Request struct {
	// Repo is a URL (https, http, ssh, git, file), git@host:path or an absolute path. The agent uses credentials in it if Auth has none.
	Repo string
	// Ref is a branch, a tag, a full ref (refs/…) or a commit. 40 hexadecimal digits are always a commit. Otherwise these are tried in
	// order: a branch, a tag, a full ref, and a commit of which 7 to 39 digits are given. If Ref is empty, it is the HEAD of the remote.
	Ref    string
	Auth   Auth
	Limits Limits
	Remote egress.Policy // the loopback and link-local addresses that a redirect may lead to
}

// Auth contains the credentials of the agent, and what identifies the server. All fields are optional, but SSH needs KnownHostsFile.
type Auth struct {
	Username, Password config.Secret
	SSHKeyFile         string // a private key; if it is encrypted, Password is its passphrase
	KnownHostsFile     string // the trusted host keys, in the format of OpenSSH
	CAFile             string // certificate authorities in PEM format, in addition to those of the system
	AllowPlainHTTP     bool   // send Username and Password also over http, which is not encrypted
}

// Clone writes the commit that req names into dir, which must be empty or not exist. When ctx ends, Clone returns at once. go-git cannot
// always be interrupted, so it may still write into dir for a moment. See the package for the exit codes of errors.
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
	revision, err := runWithContext(ctx, func() (Revision, error) { return clone(ctx, req, dir) })
	if err != nil {
		return Checkout{}, fmt.Errorf("clone %s: %w", repo, classify(ctx, err))
	}
	return Checkout{Dir: dir, Revision: revision}, nil
}
