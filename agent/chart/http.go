package chart

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"helm.sh/helm/v3/pkg/getter"
	"helm.sh/helm/v3/pkg/registry"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/archive"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/digest"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// get downloads a URL that belongs to a repository, up to limit bytes; credentials go to the repository's own host only,
// unless it passes them on. Helm's own client has no limit and follows every redirect.
func (s *Store) get(ctx context.Context, at string, r release.Repository, limit int64) ([]byte, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", charterrors.PublicURL(at), err)
	}
	request, err := newRequest(ctx, u, r)
	if err != nil {
		return nil, err
	}
	client, err := s.client(r)
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
		return nil, fmt.Errorf("scheme %q not supported: use https, http or oci", u.Scheme)
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
		return nil, fmt.Errorf("%s is plain HTTP, but its repository %s is not: the repository must name https URLs", charterrors.PublicURL(u.String()), charterrors.PublicURL(r.URL))
	}
	own := r.URL == "" || base.Scheme == u.Scheme && base.Host == u.Host
	if (own || r.PassCredentials) && r.Username != "" && r.Password != "" {
		request.SetBasicAuth(r.Username, r.Password)
	}
	return request, nil
}

// client is one per set of certificates, so that connections are used again. Files are read while the store is not locked.
func (s *Store) client(r release.Repository) (*http.Client, error) {
	key := digest.Of([]any{r.CAFile, r.CertFile, r.KeyFile, r.InsecureSkipTLSVerify})
	s.mu.Lock()
	found, ok := s.clients[key]
	s.mu.Unlock()
	if ok {
		return found, nil
	}
	config, err := s.trust.TLSConfig(r)
	if err != nil {
		return nil, fmt.Errorf("prepare TLS for %s: %w", charterrors.PublicURL(r.URL), err)
	}
	return s.keepClient(key, config), nil
}

// keepClient returns the client that another goroutine has made meanwhile, if there is one.
func (s *Store) keepClient(key string, config *tls.Config) *http.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.clients[key]; ok {
		return found
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.TLSClientConfig = config
	base.DisableCompression = true // an archive is compressed; its digest is that of the compressed file
	made := &http.Client{Transport: s.policy.Transport(base), CheckRedirect: egress.CheckRedirect}
	if s.clients == nil {
		s.clients = map[string]*http.Client{}
	}
	s.clients[key] = made
	return made
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

// getters are what Helm's dependency manager downloads with. Over HTTP they know only the archives that the indexes name.
func (s *Store) getters(ctx context.Context, named map[string]location) getter.Providers {
	return getter.Providers{
		{Schemes: []string{"http", "https"}, New: func(...getter.Option) (getter.Getter, error) {
			return indexed{s: s, ctx: ctx, named: named}, nil
		}},
		{Schemes: []string{registry.OCIScheme}, New: func(options ...getter.Option) (getter.Getter, error) {
			inner, err := getter.NewOCIGetter(options...)
			return pulled{ctx: ctx, inner: inner}, err
		}},
	}
}

// indexed downloads the archives that the indexes of the dependencies' repositories name, by their URL.
type indexed struct {
	s     *Store
	ctx   context.Context
	named map[string]location
}

// Get ignores Helm's options, which hold what the location knows already.
func (g indexed) Get(at string, _ ...getter.Option) (*bytes.Buffer, error) {
	found, ok := g.named[at]
	if !ok {
		return nil, errors.New("no index of the dependencies' repositories names " + charterrors.PublicURL(at))
	}
	got, err := g.s.fetch(g.ctx, found)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(got.path)
	return bytes.NewBuffer(data), err
}

// pulled downloads from a registry and gives up when the context ends: Helm's getter knows no context.
type pulled struct {
	ctx   context.Context
	inner getter.Getter
}

// Get leaves a download behind when the context ends; its requests end with the same context.
func (g pulled) Get(at string, options ...getter.Option) (*bytes.Buffer, error) {
	type answer struct {
		data *bytes.Buffer
		err  error
	}
	if g.ctx.Err() != nil {
		return nil, context.Cause(g.ctx)
	}
	answers := make(chan answer, 1)
	go func() {
		data, err := g.inner.Get(at, options...)
		answers <- answer{data, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			return nil, a.err
		}
		want, err := pulledLocation(at)
		if err == nil {
			err = want.Expected.Check(a.data.Bytes())
		}
		return a.data, err
	case <-g.ctx.Done():
		return nil, fmt.Errorf("no answer from %s: %w", hostOf(at), context.Cause(g.ctx))
	}
}

// pulledLocation is the location of an archive in a registry by its reference, host/path/name:version.
func pulledLocation(at string) (location, error) {
	want, err := parseOCI(at, "")
	return location{URL: at, Expected: archive.Expected{Name: lastElement(want.name), Version: tagVersion(want.version)}}, err
}

// hostOf is the part of a URL that says whom to ask about it.
func hostOf(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return charterrors.PublicURL(at)
	}
	return u.Host
}
