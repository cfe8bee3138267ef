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

// getters download for Helm's dependency manager. Over HTTP they download only the archives in the indexes.
func (b *Builder) getters(ctx context.Context, archives map[string]download.Location) getter.Providers {
	return getter.Providers{
		{Schemes: []string{"http", "https"}, New: func(...getter.Option) (getter.Getter, error) {
			return httpGetter{downloads: b.downloads, ctx: ctx, archives: archives}, nil
		}},
		{Schemes: []string{registry.OCIScheme}, New: func(options ...getter.Option) (getter.Getter, error) {
			inner, err := getter.NewOCIGetter(options...)
			return ociGetter{ctx: ctx, inner: inner}, err
		}},
	}
}

// httpGetter downloads archives that are in an index of the repositories of the dependencies.
type httpGetter struct {
	downloads *download.Downloader
	ctx       context.Context
	archives  map[string]download.Location
}

// Get ignores the options of Helm, because the location has the same settings.
func (g httpGetter) Get(at string, _ ...getter.Option) (*bytes.Buffer, error) {
	found, ok := g.archives[at]
	if !ok {
		return nil, errors.New("no index of the repositories of the dependencies has the URL " + charterrors.PublicURL(at))
	}
	got, err := g.downloads.Fetch(g.ctx, found)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(got.Path)
	return bytes.NewBuffer(data), err
}

// ociGetter downloads from a registry until the context ends. Helm's getter has no context.
type ociGetter struct {
	ctx   context.Context
	inner getter.Getter
}

// Get does not wait for the download after the context has ended. The requests of the download end with the same context.
func (g ociGetter) Get(at string, options ...getter.Option) (*bytes.Buffer, error) {
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
		want, err := ociLocation(at)
		if err == nil {
			err = want.Expected.Check(a.data.Bytes())
		}
		return a.data, err
	case <-g.ctx.Done():
		return nil, fmt.Errorf("no answer from %s: %w", hostOf(at), context.Cause(g.ctx))
	}
}

// ociLocation is the location of an archive in a registry. The URL is host/path/name:version.
func ociLocation(at string) (download.Location, error) {
	want, err := oci.ParseReference(at, "")
	return download.Location{URL: at, Expected: archive.Expected{Name: want.ChartName(), Version: oci.TagVersion(want.Version)}}, err
}

// hostOf is the host of a URL.
func hostOf(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return charterrors.PublicURL(at)
	}
	return u.Host
}
