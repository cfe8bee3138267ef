package oci

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
	"helm.sh/helm/v3/pkg/registry"
	"oras.land/oras-go/v2/errdef"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/archive"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/digest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Reference is host/path/name with at most one version and at most one digest.
type Reference struct {
	Name, Version, Digest string
}

// ParseReference parses a reference and a version. Both may have a tag and a digest. They must not be different.
func ParseReference(ref, version string) (Reference, error) {
	rest, digest, _ := strings.Cut(strings.TrimPrefix(ref, registry.OCIScheme+"://"), "@")
	version, versionDigest, _ := strings.Cut(version, "@")
	name, tag := rest, ""
	if colon := strings.LastIndex(rest, ":"); colon > strings.LastIndex(rest, "/") {
		name, tag = rest[:colon], rest[colon+1:]
	}
	version, err := agree("version", tag, version)
	if err != nil {
		return Reference{}, err
	}
	digest, err = agree("digest", digest, versionDigest)
	return Reference{Name: name, Version: version, Digest: digest}, err
}

// agree returns the value of the reference or of the version field. If both have one, it must be the same.
func agree(what, ref, version string) (string, error) {
	switch {
	case ref == "" || ref == version:
		return version, nil
	case version == "":
		return ref, nil
	}
	return "", fmt.Errorf("the reference has the %s %s, but the version field has %s", what, ref, version)
}

// Resolve is the URL with a tag or a digest. A constraint is resolved with the tags of the registry.
func (c *Client) Resolve(ctx context.Context, want Reference, r release.Repository) (string, error) {
	client, err := c.clientFor(ctx, r, want.Name)
	if err != nil {
		return "", err
	}
	scheme := registry.OCIScheme + "://"
	_, notExact := semver.NewVersion(want.Version)
	switch {
	case want.Digest != "" && notExact == nil:
		return scheme + want.Name + "@" + want.Digest, checkTag(client, want)
	case want.Digest != "":
		return scheme + want.Name + "@" + want.Digest, nil
	case notExact == nil:
		return scheme + want.Name + ":" + want.Version, nil
	}
	tag, err := c.matchTag(ctx, client, r, want)
	return scheme + want.Name + ":" + tag, err
}

func checkTag(client *registry.Client, want Reference) error {
	// A tag cannot contain a plus sign. Helm does not replace it here, so it does not find a mismatch.
	found, err := client.Resolve(want.Name + ":" + strings.ReplaceAll(want.Version, "+", "_"))
	if err == nil && found.Digest.String() != want.Digest { // as in Helm, a chart with a digest needs no tag
		return fmt.Errorf("version %s has digest %s, not %s", want.Version, found.Digest, want.Digest)
	}
	return nil
}

func (c *Client) matchTag(ctx context.Context, client *registry.Client, r release.Repository, want Reference) (string, error) {
	tags, err := c.listTags(ctx, client, r, want.Name)
	if err != nil {
		return "", err
	}
	tag, err := registry.GetTagMatchingVersionOrConstraint(tags, want.Version)
	if err != nil {
		return "", fmt.Errorf("the registry has no version %q of %s (%w)%s", want.Version, want.Name, err,
			charterrors.ListAfter("; newest: ", tags))
	}
	return tag, nil
}

// listTags are the versions of a chart in a registry, newest first. They are listed again for other credentials or connection settings.
func (c *Client) listTags(ctx context.Context, client *registry.Client, r release.Repository, name string) ([]string, error) {
	r.Name = ""
	return c.tags.Get(ctx, digest.Of([]any{r, name}), func() ([]string, error) {
		tags, err := client.Tags(name)
		if err != nil {
			return nil, fmt.Errorf("list the versions of %s: %w", name, charterrors.WithHint(err))
		}
		return tags, nil
	})
}

// Download downloads the archive of a URL with a tag or a digest.
func (c *Client) Download(ctx context.Context, url string, r release.Repository, provenance bool) (archive.File, error) {
	want, err := ParseReference(url, "")
	if err != nil {
		return archive.File{}, err
	}
	client, err := c.clientFor(ctx, r, want.Name)
	if err != nil {
		return archive.File{}, err
	}
	pulled, err := client.Pull(strings.TrimPrefix(url, registry.OCIScheme+"://"), registry.PullOptWithProv(provenance))
	if errors.Is(err, errdef.ErrNotFound) {
		return archive.File{}, fmt.Errorf("%w%s", err, c.otherVersions(ctx, client, r, want.Name))
	}
	if err != nil {
		return archive.File{}, charterrors.WithHint(err)
	}
	if pulled.Chart.Meta == nil {
		return archive.File{}, errors.New("the chart has no metadata")
	}
	name := pulled.Chart.Meta.Name + "-" + pulled.Chart.Meta.Version + ".tgz"
	if strings.ContainsAny(name, `/\`) {
		return archive.File{}, fmt.Errorf("the chart has the invalid name %q", name)
	}
	return archive.File{Name: name, Data: pulled.Chart.Data, Provenance: pulled.Prov.Data}, nil
}

// otherVersions is the end of an error about a missing version.
func (c *Client) otherVersions(ctx context.Context, client *registry.Client, r release.Repository, name string) string {
	tags, err := c.listTags(ctx, client, r, name)
	if err != nil {
		return "" // the missing version is the error to report
	}
	return charterrors.ListAfter("; newest versions: ", tags)
}

// ChartName is the last part of the name.
func (r Reference) ChartName() string { return r.Name[strings.LastIndex(r.Name, "/")+1:] }

// TagVersion is the version of a tag. It is empty for a tag such as latest. A tag has an underscore in place of the plus sign.
func TagVersion(tag string) string {
	version := strings.ReplaceAll(tag, "_", "+")
	if _, err := semver.NewVersion(version); err != nil {
		return ""
	}
	return version
}
