package chartrepo

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"helm.sh/helm/v3/pkg/repo"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/digest"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/once"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/trust"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Client downloads from chart repositories. It is safe for concurrent use.
type Client struct {
	dir    string
	policy egress.Policy
	trust  *trust.Reader
	log    *slog.Logger

	mu      sync.Mutex
	clients map[string]*http.Client
	indexes once.Results[*repo.IndexFile]
}

// New makes a client that stores indexes in dir and connects only to hosts that the policy allows.
func New(dir string, policy egress.Policy, trust *trust.Reader, log *slog.Logger) *Client {
	return &Client{dir: dir, policy: policy, trust: trust, log: log}
}

// Get downloads a URL of a repository, up to limit bytes. It sends credentials only to the host of the repository, unless passCredentials
// is set. Helm's client has no limit and follows every redirect.
func (c *Client) Get(ctx context.Context, at string, r release.Repository, limit int64) ([]byte, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", charterrors.PublicURL(at), err)
	}
	request, err := newRequest(ctx, u, r)
	if err != nil {
		return nil, err
	}
	client, err := c.httpClient(r)
	if err != nil {
		return nil, err
	}
	data, err := fetchURL(client, request, limit)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("no answer from %s: %w", u.Host, context.Cause(ctx))
	}
	return data, charterrors.WithHint(err)
}

func newRequest(ctx context.Context, u *url.URL, r release.Repository) (*http.Request, error) {
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the scheme %q is not supported: use https, http or oci", u.Scheme)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "helmfile-agent")
	base, err := url.Parse(r.URL)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", charterrors.PublicURL(r.URL), err)
	}
	if base.Scheme == "https" && u.Scheme == "http" {
		return nil, fmt.Errorf("%s is plain HTTP, but its repository %s is not: the index of the repository must have https URLs", charterrors.PublicURL(u.String()), charterrors.PublicURL(r.URL))
	}
	sameHost := r.URL == "" || base.Scheme == u.Scheme && base.Host == u.Host
	if (sameHost || r.PassCredentials) && r.Username != "" && r.Password != "" {
		request.SetBasicAuth(r.Username, r.Password)
	}
	return request, nil
}

// httpClient returns the same client for the same certificates, so that connections are reused. It reads the files of the certificates
// without the lock.
func (c *Client) httpClient(r release.Repository) (*http.Client, error) {
	key := digest.Of([]any{r.CAFile, r.CertFile, r.KeyFile, r.InsecureSkipTLSVerify})
	c.mu.Lock()
	found, ok := c.clients[key]
	c.mu.Unlock()
	if ok {
		return found, nil
	}
	config, err := c.trust.TLSConfig(r)
	if err != nil {
		return nil, fmt.Errorf("prepare TLS for %s: %w", charterrors.PublicURL(r.URL), err)
	}
	return c.addClient(key, config), nil
}

// addClient makes a client, unless another goroutine has made one for the same certificates.
func (c *Client) addClient(key string, config *tls.Config) *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.clients[key]; ok {
		return found
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.TLSClientConfig = config
	base.DisableCompression = true // the digest of an archive is that of the compressed file
	added := &http.Client{Transport: c.policy.Transport(base), CheckRedirect: egress.CheckRedirect}
	if c.clients == nil {
		c.clients = map[string]*http.Client{}
	}
	c.clients[key] = added
	return added
}

func fetchURL(client *http.Client, request *http.Request, limit int64) ([]byte, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("failed to fetch %s : %s", charterrors.PublicURL(request.URL.String()), response.Status)
	}
	return io.ReadAll(limits.NewReader(response.Body, limit))
}
