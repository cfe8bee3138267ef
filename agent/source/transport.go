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

var once sync.Once

// prepareTransports changes what go-git keeps for the whole process: local repositories are served in this process, since
// go-git's own way is to execute git; a remote's detached HEAD is understood; and ~/.ssh/config is not read, since it
// could redirect to a host other than the one whose key was checked.
func prepareTransports() {
	client.InstallProtocol("file", server.NewClient(localRepositories{}))
	guarded := egress.TransportOf(http.DefaultTransport.(*http.Transport), policyOf)
	web := githttp.NewClient(&http.Client{Transport: guarded, CheckRedirect: keepCredentials})
	client.InstallProtocol("http", web)
	client.InstallProtocol("https", web)
	for scheme, with := range client.Protocols {
		client.InstallProtocol(scheme, detachable{with})
	}
	gitssh.DefaultSSHConfig = nil
}

// policyKey is the context's key for the policy of a clone. go-git lets a request have no transport of its own.
type policyKey struct{}

// withPolicy lets requests reach the repository's own server at any address, because the operator chose it. A redirect to another one
// is subject to the policy, and so is what go-git sends there afterwards.
func withPolicy(ctx context.Context, req Request) context.Context {
	policy := egress.Policy{Allowed: slices.Clone(req.Remote.Allowed)}
	if u, err := url.Parse(req.Repo); err == nil && u.Host != "" {
		policy.Allowed = append(policy.Allowed, hostPort(u))
	}
	return context.WithValue(ctx, policyKey{}, policy)
}

func policyOf(ctx context.Context) egress.Policy {
	policy, _ := ctx.Value(policyKey{}).(egress.Policy) // without one, only loopback and link-local addresses are refused
	return policy
}

// keepCredentials refuses a redirect to another server if the first request had credentials. go-git would go there without
// them, and fail with a message about wrong credentials. go-git itself refuses redirects from https to http.
func keepCredentials(to *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Header.Get("Authorization") == "" || webServer(first.URL) == webServer(to.URL) {
		return nil
	}
	return exit.With(exit.SourceRefused, fmt.Errorf("the server redirects to %s, and credentials are sent to no other server "+
		"than the repository's: if you trust it, set repo to its URL there", webServer(to.URL)))
}

// webServer is scheme, host and port, written out.
func webServer(u *url.URL) string {
	return u.Scheme + "://" + hostPort(u)
}

func hostPort(u *url.URL) string {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	return net.JoinHostPort(u.Hostname(), port)
}

// detachedHead is the name that a remote's HEAD gets where it is on no branch.
const detachedHead = plumbing.ReferenceName("refs/helmfile-agent/HEAD")

// detachable lists the refs of repositories whose HEAD is detached at a commit that is no tip. go-git by itself looks for
// the branch that HEAD is on, and fails where there is none, whichever ref was asked for.
type detachable struct{ transport.Transport }

func (t detachable) NewUploadPackSession(to *transport.Endpoint, auth transport.AuthMethod) (transport.UploadPackSession, error) {
	session, err := t.Transport.NewUploadPackSession(to, auth)
	if err != nil {
		return nil, err
	}
	return detachableSession{session}, nil
}

type detachableSession struct{ transport.UploadPackSession }

func (s detachableSession) AdvertisedReferencesContext(ctx context.Context) (*packp.AdvRefs, error) {
	advertised, err := s.UploadPackSession.AdvertisedReferencesContext(ctx)
	if err != nil || advertised.Head == nil {
		return advertised, err
	}
	delete(advertised.References, plumbing.HEAD.String()) // the in-process server lists it as if it were a branch
	tips := slices.Collect(maps.Values(advertised.References))
	if !advertised.Capabilities.Supports(capability.SymRef) && !slices.Contains(tips, *advertised.Head) {
		advertised.References[detachedHead.String()] = *advertised.Head
	}
	return advertised, nil
}

// localRepositories opens bare repositories, work trees, and linked work trees. go-git's own loader knows bare ones only.
type localRepositories struct{}

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
