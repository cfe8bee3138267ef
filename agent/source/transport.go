package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/client"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/plumbing/transport/server"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"

	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

var transportsOnce sync.Once

// prepareTransports changes settings of go-git that apply to the whole process:
//   - It reads local repositories in this process; go-git itself would execute git.
//   - It supports remotes with a detached HEAD.
//   - It checks HTTP connections and redirects.
//   - It does not read ~/.ssh/config, which could redirect to another host than the one whose key was checked.
func prepareTransports() {
	client.InstallProtocol("file", server.NewClient(localRepositories{}))
	guarded := egress.TransportOf(http.DefaultTransport.(*http.Transport), policyOf)
	web := githttp.NewClient(&http.Client{Transport: guarded, CheckRedirect: refuseForeignRedirect})
	client.InstallProtocol("http", web)
	client.InstallProtocol("https", web)
	for scheme, original := range client.Protocols {
		client.InstallProtocol(scheme, detachedTransport{original})
	}
	gitssh.DefaultSSHConfig = nil
}

// policyKey is the key of a clone's policy in the context. go-git has one HTTP transport for all clones.
type policyKey struct{}

// withPolicy returns a context whose requests may reach the server of the repository at any address, because the operator chose it. The
// policy applies to redirects to other servers, and to all later requests to them.
func withPolicy(ctx context.Context, req Request) context.Context {
	policy := egress.Policy{Allowed: slices.Clone(req.Remote.Allowed)}
	if u, err := url.Parse(req.Repo); err == nil && u.Host != "" {
		policy.Allowed = append(policy.Allowed, hostPort(u))
	}
	return context.WithValue(ctx, policyKey{}, policy)
}

func policyOf(ctx context.Context) egress.Policy {
	policy, _ := ctx.Value(policyKey{}).(egress.Policy) // the zero policy refuses only loopback and link-local addresses
	return policy
}

// refuseForeignRedirect refuses a redirect to another server if the first request had credentials. Otherwise go-git would follow it without
// credentials, and fail with a message about wrong credentials. go-git itself refuses redirects from https to http.
func refuseForeignRedirect(to *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Header.Get("Authorization") == "" || webServer(first.URL) == webServer(to.URL) {
		return nil
	}
	return exit.With(exit.SourceRefused, fmt.Errorf("the server redirects to %s, but the agent sends credentials only to "+
		"the server of the repository: if you trust the other server, set repo to its URL there", webServer(to.URL)))
}

// webServer returns scheme, host and port of a URL, also if the port is the default.
func webServer(u *url.URL) string {
	return u.Scheme + "://" + hostPort(u)
}

func hostPort(u *url.URL) string {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	return net.JoinHostPort(u.Hostname(), port)
}

// detachedHead is the name of a remote's HEAD that points to no branch.
const detachedHead = plumbing.ReferenceName("refs/helmfile-agent/HEAD")

// detachedTransport lists the refs of repositories whose HEAD is detached at a commit that no branch or tag points to. go-git itself searches
// for the branch of HEAD. If there is none, it fails for every ref.
type detachedTransport struct{ transport.Transport }

// NewUploadPackSession implements transport.Transport.
func (t detachedTransport) NewUploadPackSession(to *transport.Endpoint, auth transport.AuthMethod) (transport.UploadPackSession, error) {
	session, err := t.Transport.NewUploadPackSession(to, auth)
	if err != nil {
		return nil, err
	}
	return detachedSession{session}, nil
}

type detachedSession struct{ transport.UploadPackSession }

// AdvertisedReferencesContext implements transport.Session.
func (s detachedSession) AdvertisedReferencesContext(ctx context.Context) (*packp.AdvRefs, error) {
	advertised, err := s.UploadPackSession.AdvertisedReferencesContext(ctx)
	if err != nil || advertised.Head == nil {
		return advertised, err
	}
	delete(advertised.References, plumbing.HEAD.String()) // the in-process server lists HEAD like a branch
	tips := slices.Collect(maps.Values(advertised.References))
	if !advertised.Capabilities.Supports(capability.SymRef) && !slices.Contains(tips, *advertised.Head) {
		advertised.References[detachedHead.String()] = *advertised.Head
	}
	return advertised, nil
}

// localRepositories opens bare repositories, work trees, and linked work trees. The loader of go-git opens only bare repositories.
type localRepositories struct{}

// Load implements server.Loader.
func (localRepositories) Load(at *transport.Endpoint) (storer.Storer, error) {
	repo, err := git.PlainOpenWithOptions(at.Path, &git.PlainOpenOptions{EnableDotGitCommonDir: true})
	if errors.Is(err, git.ErrRepositoryNotExists) {
		return nil, transport.ErrRepositoryNotFound
	}
	if err != nil {
		return nil, err
	}
	return repo.Storer, nil
}
