package chart

import (
	"context"
	"errors"
	"strings"

	"helm.sh/helm/v3/pkg/registry"
	"helm.sh/helm/v3/pkg/repo"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/archive"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/digest"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/trust"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// anyVersion is what Helm makes of --devel without a version.
const anyVersion = ">0.0.0-0"

// location is where exactly one archive is: constraints are resolved.
type location struct {
	URL        string // http(s) URL, or oci://host/path/name:tag or …@digest
	Repository release.Repository
	Verify     bool
	Keyring    string
	Expected   archive.Expected // empty if only its URL is known
}

// key names the location's downloads on disk.
func (l location) key() string {
	l.Repository.Name = "" // two names of one repository share downloads
	return digest.Of(l)
}

// locate resolves a chart that is not local to its archive.
func (s *Store) locate(ctx context.Context, c release.Chart) (location, error) {
	if c.Version == "" && c.Devel {
		c.Version = anyVersion
	}
	at := location{Repository: repositoryOfChart(c), Verify: c.Verify, Keyring: trust.Keyring(c)}
	var err error
	switch {
	case registry.IsOCI(c.Ref):
		return s.locateOCI(ctx, c.Ref, c.Version, at)
	case strings.Contains(c.Ref, "://"):
		at.URL, at.Expected.Version = c.Ref, c.Version
	case c.Ref == "" || c.Repository == nil:
		err = errors.New("no repository is known for it: declare it under `repositories:`, or use an oci:// or https:// reference")
	case at.Repository.OCI:
		return s.locateOCI(ctx, OCIURL(at.Repository)+"/"+c.Ref, c.Version, at)
	default:
		return s.locateInIndex(ctx, c.Ref, c.Version, at)
	}
	return at, err
}

func (s *Store) locateInIndex(ctx context.Context, name, version string, at location) (location, error) {
	index, err := s.index(ctx, at.Repository)
	if err != nil {
		return at, err
	}
	found, err := pick(index, name, version)
	if err != nil {
		return at, err
	}
	return at.named(name, found)
}

// named is the location of a version that the repository's index names.
func (l location) named(name string, found *repo.ChartVersion) (location, error) {
	var err error
	l.URL, err = repo.ResolveReferenceURL(l.Repository.URL, found.URLs[0])
	l.Expected = archive.Expected{Name: name, Version: found.Version, Digest: found.Digest}
	return l, err
}

// describe names a chart, its version and its repository for an error, without credentials.
func describe(c release.Chart) string {
	name := c.Name
	if name == "" {
		name = c.Path + c.Ref
	}
	if strings.Contains(name, "://") {
		name = charterrors.PublicURL(name)
	}
	if c.Version != "" {
		name += " version " + c.Version
	}
	if c.Repository != nil {
		name += " from " + charterrors.PublicURL(c.Repository.URL)
	}
	return name
}

// nameInError replaces the path of a local chart in an error by the chart's name in the helmfile, because users do not know the
// temporary path.
func nameInError(c release.Chart, err error) error {
	if c.Path == "" || c.Name == "" {
		return err
	}
	return charterrors.ReplacePath(err, c.Path, c.Name)
}
