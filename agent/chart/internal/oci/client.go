package oci

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"

	"helm.sh/helm/v3/pkg/helmpath"
	"helm.sh/helm/v3/pkg/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/once"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/repositories"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/trust"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Client downloads from registries. It is safe for concurrent use.
type Client struct {
	policy egress.Policy
	trust  *trust.Reader
	known  *repositories.Known
	tags   once.Results[[]string]
}

// New makes a client that connects only to hosts that the policy allows. The known repositories have the credentials.
func New(policy egress.Policy, trust *trust.Reader, known *repositories.Known) *Client {
	return &Client{policy: policy, trust: trust, known: known}
}

// clientFor makes a client. It uses the settings of r for the registry of name (host/path), and the settings of the known repositories for
// all other registries.
func (c *Client) clientFor(ctx context.Context, r release.Repository, name string) (*registry.Client, error) {
	if r.URL != "" && repositories.OCIHost(r.URL) != repositories.OCIHost(name) {
		r = release.Repository{PlainHTTP: r.PlainHTTP} // the credentials and certificates are for another host
	}
	r.OCI, r.URL = true, name // r may have only the connection settings of the chart itself
	return c.HelmClient(ctx, append([]release.Repository{r}, c.known.All()...), r.PlainHTTP)
}

// HelmClient makes Helm's client for registries. For each host it uses the first declared repository. Its requests end with ctx.
func (c *Client) HelmClient(ctx context.Context, declared []release.Repository, plainHTTP bool) (*registry.Client, error) {
	transport, err := c.newHostTransport(ctx, declared)
	if err != nil {
		return nil, err
	}
	credential, err := credentialsOf(declared)
	if err != nil {
		return nil, err
	}
	options := []registry.ClientOption{
		registry.ClientOptCredentialsFile(registryConfig()),
		registry.ClientOptAuthorizer(auth.Client{
			Client:     &http.Client{Transport: transport, CheckRedirect: egress.CheckRedirect},
			Cache:      auth.NewCache(),
			Credential: credential,
		}),
	}
	if plainHTTP {
		options = append(options, registry.ClientOptPlainHTTP())
	}
	client, err := registry.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("prepare registry client: %w", err)
	}
	return client, nil
}

func registryConfig() string {
	if file, set := os.LookupEnv("HELM_REGISTRY_CONFIG"); set {
		return file
	}
	return helmpath.ConfigPath("registry/config.json")
}

// credentialsOf prefers a declared user and password to the credentials that `helm registry login` or `docker login` stored.
func credentialsOf(declared []release.Repository) (auth.CredentialFunc, error) {
	stored, err := storedCredentials()
	if err != nil {
		return nil, err
	}
	byHost := map[string]auth.Credential{}
	for _, r := range declared {
		host := repositories.OCIHost(r.URL)
		if _, found := byHost[host]; r.OCI && !found && r.Username != "" && r.Password != "" {
			byHost[host] = auth.Credential{Username: r.Username, Password: r.Password}
		}
	}
	return func(ctx context.Context, host string) (auth.Credential, error) {
		if found, ok := byHost[host]; ok {
			return found, nil
		}
		return stored(ctx, host)
	}, nil
}

func storedCredentials() (auth.CredentialFunc, error) {
	var stores []credentials.Store
	// Helm treats an empty file as missing.
	if info, err := os.Stat(registryConfig()); err == nil && info.Size() > 0 {
		helm, err := credentials.NewStore(registryConfig(), credentials.StoreOptions{})
		if err != nil {
			return nil, fmt.Errorf("read registry credentials %s: %w", registryConfig(), err)
		}
		stores = append(stores, helm)
	}
	if docker, err := credentials.NewStoreFromDocker(credentials.StoreOptions{}); err == nil {
		stores = append(stores, docker) // Helm also ignores an invalid docker configuration
	}
	if len(stores) == 0 {
		stores = append(stores, credentials.NewMemoryStore())
	}
	return credentials.Credential(credentials.NewStoreWithFallbacks(stores[0], stores[1:]...)), nil
}

// hostTransport ends every request with ctx. It uses the certificates of a host only for that host.
type hostTransport struct {
	ctx    context.Context
	hosts  map[string]http.RoundTripper
	others http.RoundTripper
	total  *atomic.Int64 // the bytes of all answers
}

// registryLimit is the limit of all answers to one client, because Helm holds every part of a chart in memory. It is large enough for a
// chart with many dependencies from registries.
const registryLimit = 8 * limits.ArchiveSize

func (c *Client) newHostTransport(ctx context.Context, declared []release.Repository) (hostTransport, error) {
	t := hostTransport{ctx: ctx, hosts: map[string]http.RoundTripper{}, others: registryTransport(c.policy, nil), total: new(atomic.Int64)}
	for _, r := range declared {
		host := repositories.OCIHost(r.URL)
		if _, found := t.hosts[host]; found || !r.OCI || !hasTLS(r) {
			continue
		}
		config, err := c.trust.TLSConfig(r)
		if err != nil {
			return t, fmt.Errorf("prepare TLS for %s: %w", host, err)
		}
		t.hosts[host] = registryTransport(c.policy, config)
	}
	return t, nil
}

// registryTransport retries requests as Helm does.
func registryTransport(policy egress.Policy, config *tls.Config) http.RoundTripper {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.TLSClientConfig = config
	return retry.NewTransport(policy.Transport(base))
}

// RoundTrip implements http.RoundTripper.
func (t hostTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.WithContext(t.ctx) // Helm's registry client uses the background context
	transport := t.others
	if ofHost, ok := t.hosts[request.URL.Host]; ok {
		transport = ofHost
	}
	response, err := transport.RoundTrip(request)
	if err != nil && t.ctx.Err() != nil {
		return response, fmt.Errorf("no answer from %s: %w", request.URL.Host, context.Cause(t.ctx))
	}
	if err == nil {
		response.Body = &limitedBody{ReadCloser: response.Body, total: t.total}
	}
	return response, err
}

// limitedBody limits one answer and the sum of all answers.
type limitedBody struct {
	io.ReadCloser
	read  int64
	total *atomic.Int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	switch total := b.total.Add(int64(n)); {
	case b.read > limits.ArchiveSize:
		return 0, limits.TooLarge(limits.ArchiveSize)
	case total > registryLimit:
		return 0, limits.TooLarge(registryLimit)
	}
	return n, err
}

func hasTLS(r release.Repository) bool {
	return r.CAFile != "" || r.CertFile != "" || r.InsecureSkipTLSVerify
}
