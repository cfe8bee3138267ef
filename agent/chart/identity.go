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

// Identity is a text that is the same for two charts that render the same, without downloading one: of a remote chart its
// reference and exact version, to which a constraint is resolved; of a local one the content, dependencies included, in
// which the volatile paths, that are others in every run, do not count.
func (s *Store) Identity(ctx context.Context, c release.Chart, volatile ...string) (string, error) {
	if c.Path != "" {
		return s.contentIdentity(ctx, c, volatile)
	}
	if exact(c) {
		return digest.Of([]string{repositories.OfChart(c).URL, c.Ref, c.Version}), nil
	}
	at, err := s.downloads.Locate(ctx, c)
	if err != nil {
		return "", fmt.Errorf("resolve chart %s: %w", describe(c), charterrors.Redact(err))
	}
	return digest.Of([]string{at.URL}), nil
}

// exact references name one chart for ever, as far as its repository is honest.
func exact(c release.Chart) bool {
	if strings.Contains(c.Ref, "@sha256:") || c.Repository == nil && strings.HasPrefix(c.Ref, "http") {
		return true
	}
	_, err := semver.StrictNewVersion(strings.TrimPrefix(c.Version, "v"))
	return err == nil
}

func (s *Store) contentIdentity(ctx context.Context, c release.Chart, volatile []string) (string, error) {
	identity, err := s.contents.Get(ctx, digest.Of([]any{c.Path, c.SkipDependencies, c.Verify, c.Keyring, c.Repository}), func() (identity string, err error) {
		defer charterrors.RecoverPanic(&err)
		if pinned, ok := s.pinned(c); ok {
			return contentHash(pinned, volatile), nil
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

// pinned is a chart directory whose dependencies are not there, but locked to versions: its own files say all about it,
// and nothing need be downloaded to know them.
func (s *Store) pinned(c release.Chart) (*helmchart.Chart, bool) {
	info, err := os.Stat(c.Path)
	if err != nil || !info.IsDir() {
		return nil, false
	}
	loaded, err := s.dependencies.Load(c.Path)
	if err != nil || loaded.Lock == nil || len(loaded.Dependencies()) > 0 {
		return nil, false
	}
	beside := slices.ContainsFunc(loaded.Metadata.Dependencies, func(d *helmchart.Dependency) bool {
		return strings.HasPrefix(d.Repository, "file://") || d.Repository == ""
	})
	return loaded, !beside
}

// contentHash covers every file that Helm would read, .helmignore respected, and every dependency's.
func contentHash(c *helmchart.Chart, volatile []string) string {
	hash := sha256.New()
	hashInto(hash, c, volatile)
	return hex.EncodeToString(hash.Sum(nil))
}

func hashInto(w io.Writer, c *helmchart.Chart, volatile []string) {
	files := slices.Clone(c.Raw)
	slices.SortFunc(files, func(a, b *helmchart.File) int { return strings.Compare(a.Name, b.Name) })
	for _, file := range files {
		if inCharts(file.Name) || lock(file.Name) && len(c.Dependencies()) > 0 {
			continue // dependencies follow unpacked: archives, and locks made by a build, differ by their timestamps
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

func inCharts(name string) bool { return strings.HasPrefix(name, "charts/") }
func lock(name string) bool     { return name == "Chart.lock" || name == "requirements.lock" }
