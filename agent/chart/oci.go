package chart

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
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// ociReference is host/path/name with at most one version and at most one digest.
type ociReference struct {
	name, version, digest string
}

// parseOCI reads a reference and a version, either of which may carry tag and digest; they must not contradict.
func parseOCI(ref, version string) (ociReference, error) {
	rest, digest, _ := strings.Cut(strings.TrimPrefix(ref, registry.OCIScheme+"://"), "@")
	version, versionDigest, _ := strings.Cut(version, "@")
	name, tag := rest, ""
	if colon := strings.LastIndex(rest, ":"); colon > strings.LastIndex(rest, "/") {
		name, tag = rest[:colon], rest[colon+1:]
	}
	version, err := agree("version", tag, version)
	if err != nil {
		return ociReference{}, err
	}
	digest, err = agree("digest", digest, versionDigest)
	return ociReference{name: name, version: version, digest: digest}, err
}

func agree(what, ref, version string) (string, error) {
	switch {
	case ref == "" || ref == version:
		return version, nil
	case version == "":
		return ref, nil
	}
	return "", fmt.Errorf("the reference names %s %s, the version field %s", what, ref, version)
}

// locateOCI turns a constraint into a tag. A digest counts, whatever the tag; where the tag exists, both must agree.
func (s *Store) locateOCI(ctx context.Context, ref, version string, at location) (location, error) {
	want, err := parseOCI(ref, version)
	if err != nil {
		return at, err
	}
	at.URL, err = s.resolveOCI(ctx, want, at.Repository)
	at.Expected = archive.Expected{Name: lastElement(want.name), Version: want.version}
	if tag := strings.TrimPrefix(at.URL, registry.OCIScheme+"://"+want.name+":"); want.digest == "" {
		at.Expected.Version = tagVersion(tag)
	}
	return at, err
}

func (s *Store) resolveOCI(ctx context.Context, want ociReference, r release.Repository) (string, error) {
	client, err := s.registryClient(ctx, r, want.name)
	if err != nil {
		return "", err
	}
	scheme := registry.OCIScheme + "://"
	_, notExact := semver.NewVersion(want.version)
	switch {
	case want.digest != "" && notExact == nil:
		return scheme + want.name + "@" + want.digest, checkTag(client, want)
	case want.digest != "":
		return scheme + want.name + "@" + want.digest, nil
	case notExact == nil:
		return scheme + want.name + ":" + want.version, nil
	}
	tag, err := s.matchTag(ctx, client, want)
	return scheme + want.name + ":" + tag, err
}

func checkTag(client *registry.Client, want ociReference) error {
	// Tags have no plus sign. Helm itself forgets that here, and so misses a mismatch.
	found, err := client.Resolve(want.name + ":" + strings.ReplaceAll(want.version, "+", "_"))
	if err != nil {
		return nil // as in Helm, what is asked for by digest need not be tagged
	}
	if found.Digest.String() != want.digest {
		return fmt.Errorf("version %s has digest %s, not %s", want.version, found.Digest, want.digest)
	}
	return nil
}

func (s *Store) matchTag(ctx context.Context, client *registry.Client, want ociReference) (string, error) {
	tags, err := s.listTags(ctx, client, want.name)
	if err != nil {
		return "", err
	}
	tag, err := registry.GetTagMatchingVersionOrConstraint(tags, want.version)
	if err != nil {
		return "", fmt.Errorf("the registry has no version %q of %s (%w)%s", want.version, want.name, err,
			charterrors.ListAfter("; newest: ", tags))
	}
	return tag, nil
}

// listTags are the versions of a chart in a registry, newest first.
func (s *Store) listTags(ctx context.Context, client *registry.Client, name string) ([]string, error) {
	return s.tags.Get(ctx, name, func() ([]string, error) {
		tags, err := client.Tags(name)
		if err != nil {
			return nil, fmt.Errorf("list the versions of %s: %w", name, charterrors.WithHint(err))
		}
		return tags, nil
	})
}

func (s *Store) downloadOCI(ctx context.Context, at location) (archive.File, error) {
	want, err := parseOCI(at.URL, "")
	if err != nil {
		return archive.File{}, err
	}
	client, err := s.registryClient(ctx, at.Repository, want.name)
	if err != nil {
		return archive.File{}, err
	}
	pulled, err := client.Pull(strings.TrimPrefix(at.URL, registry.OCIScheme+"://"), registry.PullOptWithProv(at.Verify))
	if errors.Is(err, errdef.ErrNotFound) {
		return archive.File{}, fmt.Errorf("%w%s", err, s.otherVersions(ctx, client, want.name))
	}
	if err != nil {
		return archive.File{}, charterrors.WithHint(err)
	}
	if pulled.Chart.Meta == nil {
		return archive.File{}, errors.New("the chart has no metadata")
	}
	name := pulled.Chart.Meta.Name + "-" + pulled.Chart.Meta.Version + ".tgz"
	if strings.ContainsAny(name, `/\`) {
		return archive.File{}, fmt.Errorf("the chart calls itself %q", name)
	}
	return archive.File{Name: name, Data: pulled.Chart.Data, Provenance: pulled.Prov.Data}, nil
}

// otherVersions ends an error about a version that is not there.
func (s *Store) otherVersions(ctx context.Context, client *registry.Client, name string) string {
	tags, err := s.listTags(ctx, client, name)
	if err != nil {
		return "" // the version's absence is the error to report
	}
	return charterrors.ListAfter("; newest versions: ", tags)
}

func lastElement(name string) string { return name[strings.LastIndex(name, "/")+1:] }

// tagVersion is the version that a tag names; empty for a tag such as latest. Tags have an underscore for the plus sign.
func tagVersion(tag string) string {
	version := strings.ReplaceAll(tag, "_", "+")
	if _, err := semver.NewVersion(version); err != nil {
		return ""
	}
	return version
}
