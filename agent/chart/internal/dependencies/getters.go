package dependencies

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"helm.sh/helm/v3/pkg/getter"
	"helm.sh/helm/v3/pkg/registry"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/archive"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/download"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/oci"
)

// getters are what Helm's dependency manager downloads with. Over HTTP they know only the archives that the indexes name.
func (b *Builder) getters(ctx context.Context, named map[string]download.Location) getter.Providers {
	return getter.Providers{
		{Schemes: []string{"http", "https"}, New: func(...getter.Option) (getter.Getter, error) {
			return indexed{downloads: b.downloads, ctx: ctx, named: named}, nil
		}},
		{Schemes: []string{registry.OCIScheme}, New: func(options ...getter.Option) (getter.Getter, error) {
			inner, err := getter.NewOCIGetter(options...)
			return pulled{ctx: ctx, inner: inner}, err
		}},
	}
}

// indexed downloads the archives that the indexes of the dependencies' repositories name, by their URL.
type indexed struct {
	downloads *download.Downloader
	ctx       context.Context
	named     map[string]download.Location
}

// Get ignores Helm's options, which hold what the location knows already.
func (g indexed) Get(at string, _ ...getter.Option) (*bytes.Buffer, error) {
	found, ok := g.named[at]
	if !ok {
		return nil, errors.New("no index of the dependencies' repositories names " + charterrors.PublicURL(at))
	}
	got, err := g.downloads.Fetch(g.ctx, found)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(got.Path)
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
func pulledLocation(at string) (download.Location, error) {
	want, err := oci.ParseReference(at, "")
	return download.Location{URL: at, Expected: archive.Expected{Name: want.ChartName(), Version: oci.TagVersion(want.Version)}}, err
}

// hostOf is the part of a URL that says whom to ask about it.
func hostOf(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return charterrors.PublicURL(at)
	}
	return u.Host
}
