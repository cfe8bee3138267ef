package download

import (
	"context"
	"errors"
	"strings"

	"helm.sh/helm/v3/pkg/registry"
	"helm.sh/helm/v3/pkg/repo"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/archive"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/chartrepo"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/digest"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/oci"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/repositories"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/trust"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// anyVersion is the constraint that Helm uses for --devel without a version.
const anyVersion = ">0.0.0-0"

// Location says where one archive is. Its version is resolved.
type Location struct {
	URL        string // http(s) URL, or oci://host/path/name:tag or …@digest
	Repository release.Repository
	Verify     bool
	Keyring    string
	Expected   archive.Expected // empty if only its URL is known
}

// key is the name of the directory with the downloaded archive.
func (l Location) key() string {
	l.Repository.Name = "" // two names of one repository share downloads
	return digest.Of(l)
}

// Locate resolves the version of a chart that is not local.
func (d *Downloader) Locate(ctx context.Context, c release.Chart) (Location, error) {
	if c.Version == "" && c.Devel {
		c.Version = anyVersion
	}
	at := Location{Repository: repositories.OfChart(c), Verify: c.Verify, Keyring: trust.Keyring(c)}
	var err error
	switch {
	case registry.IsOCI(c.Ref):
		return d.locateOCI(ctx, c.Ref, c.Version, at)
	case strings.Contains(c.Ref, "://"):
		at.URL, at.Expected.Version = c.Ref, c.Version
	case c.Ref == "" || c.Repository == nil:
		err = errors.New("the chart has no repository: declare it under `repositories:`, or use an oci:// or https:// reference")
	case at.Repository.OCI:
		return d.locateOCI(ctx, repositories.OCIURL(at.Repository)+"/"+c.Ref, c.Version, at)
	default:
		return d.locateInIndex(ctx, c.Ref, c.Version, at)
	}
	return at, err
}

func (d *Downloader) locateInIndex(ctx context.Context, name, version string, at Location) (Location, error) {
	index, err := d.repositories.Index(ctx, at.Repository)
	if err != nil {
		return at, err
	}
	found, err := chartrepo.Pick(index, name, version)
	if err != nil {
		return at, err
	}
	return at.InIndex(name, found)
}

// InIndex is the location of a version in the index of the repository.
func (l Location) InIndex(name string, found *repo.ChartVersion) (Location, error) {
	var err error
	l.URL, err = repo.ResolveReferenceURL(l.Repository.URL, found.URLs[0])
	l.Expected = archive.Expected{Name: name, Version: found.Version, Digest: found.Digest}
	return l, err
}

// locateOCI resolves a constraint to a tag. With a digest, the digest decides. If the version also exists as a tag, the tag must have that
// digest.
func (d *Downloader) locateOCI(ctx context.Context, ref, version string, at Location) (Location, error) {
	want, err := oci.ParseReference(ref, version)
	if err != nil {
		return at, err
	}
	at.URL, err = d.registries.Resolve(ctx, want, at.Repository)
	at.Expected = archive.Expected{Name: want.ChartName(), Version: want.Version}
	if tag := strings.TrimPrefix(at.URL, registry.OCIScheme+"://"+want.Name+":"); want.Digest == "" {
		at.Expected.Version = oci.TagVersion(tag)
	}
	return at, err
}
