package chart

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"

	"helm.sh/helm/v3/pkg/getter"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// get downloads a URL that belongs to a repository; credentials go to the repository's own host only, unless it passes
// them on.
func get(ctx context.Context, at string, r release.Repository) (*bytes.Buffer, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", publicURL(at), err)
	}
	client, err := getters(ctx).ByScheme(u.Scheme)
	if err != nil {
		return nil, err
	}
	base := r.URL
	if base == "" {
		base = at
	}
	data, err := client.Get(at,
		getter.WithURL(base),
		getter.WithBasicAuth(r.Username, r.Password),
		getter.WithPassCredentialsAll(r.PassCredentials),
		getter.WithTLSClientConfig(r.CertFile, r.KeyFile, r.CAFile),
		getter.WithInsecureSkipVerifyTLS(r.InsecureSkipTLSVerify))
	return data, hint(err)
}

// hint says what to do about the failures that a setting causes.
func hint(err error) error {
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "401 Unauthorized"), strings.Contains(err.Error(), "403 Forbidden"),
		strings.Contains(err.Error(), "credential not found"):
		return fmt.Errorf("%w (check the user name and password under `repositories:`)", err)
	case strings.Contains(err.Error(), "certificate signed by unknown authority"):
		return fmt.Errorf("%w (set caFile under `repositories:`)", err)
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("%w (if plain HTTP is intended, set plainHttp: true)", err)
	}
	return err
}

// getters are Helm's, without plugins, and give up when the context ends: Helm's own know no context.
func getters(ctx context.Context) getter.Providers {
	providers := getter.Getters()
	for i, p := range providers {
		providers[i].New = func(options ...getter.Option) (getter.Getter, error) {
			inner, err := p.New(options...)
			return bounded{ctx: ctx, inner: inner}, err
		}
	}
	return providers
}

type bounded struct {
	ctx   context.Context
	inner getter.Getter
}

// Get leaves a download behind when the context ends; Helm's timeout ends that, and it writes nothing.
func (b bounded) Get(at string, options ...getter.Option) (*bytes.Buffer, error) {
	type answer struct {
		data *bytes.Buffer
		err  error
	}
	if b.ctx.Err() != nil {
		return nil, context.Cause(b.ctx)
	}
	answers := make(chan answer, 1)
	go func() {
		data, err := b.inner.Get(at, options...)
		answers <- answer{data, err}
	}()
	select {
	case a := <-answers:
		return a.data, a.err
	case <-b.ctx.Done():
		return nil, fmt.Errorf("no answer from %s: %w", hostOf(at), context.Cause(b.ctx))
	}
}

// hostOf is the part of a URL that says whom to ask about it.
func hostOf(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return publicURL(at)
	}
	return u.Host
}
