package chart

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/digest"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/repositories"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Identity is a text that is equal for charts that render equally. It needs no download. The identity of a remote chart is its reference and
// exact version; a constraint is resolved. The identity of a local chart is its content with its dependencies. The volatile paths differ in
// every run, so they do not count.
func (s *Store) Identity(ctx context.Context, c release.Chart, volatile ...string) (string, error) {
	if c.Path != "" {
		return s.contentIdentity(ctx, c, volatile)
	}
	if isExact(c) {
		return digest.Of([]string{repositories.OfChart(c).URL, c.Ref, c.Version}), nil
	}
	at, err := s.downloads.Locate(ctx, c)
	if err != nil {
		return "", fmt.Errorf("resolve chart %s: %w", describe(c), charterrors.Redact(err))
	}
	return digest.Of([]string{at.URL}), nil
}

// isExact says whether a reference always means the same chart, unless the repository replaces the chart.
func isExact(c release.Chart) bool {
	if strings.Contains(c.Ref, "@sha256:") || c.Repository == nil && strings.HasPrefix(c.Ref, "http") {
		return true
	}
	_, err := semver.StrictNewVersion(strings.TrimPrefix(c.Version, "v"))
	return err == nil
}

func (s *Store) contentIdentity(ctx context.Context, c release.Chart, volatile []string) (string, error) {
	identity, err := s.contents.Get(ctx, digest.Of([]any{c.Path, c.SkipDependencies, c.Verify, c.Keyring, c.Repository}), func() (identity string, err error) {
		defer charterrors.RecoverPanic(&err)
		if locked, ok := s.loadLocked(c); ok {
			return contentHash(locked, volatile), nil
		}
		loaded, err := s.loadLocal(ctx, c)
		if err != nil {
			return "", err
		}
		return contentHash(loaded, volatile), nil
	})
	if err != nil {
		return "", fmt.Errorf("read chart %s: %w", describe(c), nameInError(c, charterrors.Redact(err)))
	}
	return identity, nil
}

// loadLocked loads a chart directory whose dependencies are missing, but locked to versions. Its own files are enough for its identity, so
// nothing is downloaded.
func (s *Store) loadLocked(c release.Chart) (*helmchart.Chart, bool) {
	info, err := os.Stat(c.Path)
	if err != nil || !info.IsDir() {
		return nil, false
	}
	loaded, err := s.dependencies.Load(c.Path)
	if err != nil || loaded.Lock == nil || len(loaded.Dependencies()) > 0 {
		return nil, false
	}
	local := slices.ContainsFunc(loaded.Metadata.Dependencies, func(d *helmchart.Dependency) bool {
		return strings.HasPrefix(d.Repository, "file://") || d.Repository == ""
	})
	return loaded, !local
}

// contentHash is a hash of all files that Helm reads in the chart and its dependencies. Files in .helmignore do not count.
func contentHash(c *helmchart.Chart, volatile []string) string {
	hash := sha256.New()
	hashInto(hash, c, volatile)
	return hex.EncodeToString(hash.Sum(nil))
}

func hashInto(w io.Writer, c *helmchart.Chart, volatile []string) {
	files := slices.Clone(c.Raw)
	slices.SortFunc(files, func(a, b *helmchart.File) int { return strings.Compare(a.Name, b.Name) })
	for _, file := range files {
		if isInCharts(file.Name) || isLock(file.Name) && len(c.Dependencies()) > 0 {
			continue // the dependencies follow below; archives, and lock files of a build, contain timestamps
		}
		content := string(file.Data)
		for _, path := range volatile {
			content = strings.ReplaceAll(content, path, "")
		}
		fmt.Fprintf(w, "%q %d\n%s", file.Name, len(content), content)
	}
	dependencies := slices.Clone(c.Dependencies())
	slices.SortFunc(dependencies, func(a, b *helmchart.Chart) int { return strings.Compare(a.Name(), b.Name()) })
	for _, dependency := range dependencies {
		fmt.Fprintf(w, "\ndependency %q\n", dependency.Name())
		hashInto(w, dependency, volatile)
	}
}

func isInCharts(name string) bool { return strings.HasPrefix(name, "charts/") }
func isLock(name string) bool     { return name == "Chart.lock" || name == "requirements.lock" }
