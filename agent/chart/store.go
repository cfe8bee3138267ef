package chart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/chartrepo"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/dependencies"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/download"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/files"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/oci"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/once"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/repositories"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/schema"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/trust"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Store fetches charts, each at most once per run; it is safe for concurrent use.
type Store struct {
	dir          string
	policy       egress.Policy
	log          *slog.Logger
	files        *files.Reader
	trust        *trust.Reader
	known        *repositories.Known
	downloads    *download.Downloader
	dependencies *dependencies.Builder

	contents once.Results[string] // identities of local charts

	pulls sync.Mutex
}

// NewStore keeps every download and index below dir, which exists, is private, and lives no longer than the run:
// what is in it is never refreshed. Downloads go where the policy lets them. Stores that join the directory have the same policy.
func NewStore(dir string, policy egress.Policy, log *slog.Logger) (*Store, error) {
	s, err := openStore(dir, rules{Allowed: policy.Allowed}, log)
	if err != nil {
		return nil, err
	}
	return s, s.writeRules()
}

// JoinStore is for child processes: a store in the directory of another one, with the rules of that one. In a directory
// without rules it makes a new store, which reaches no loopback and link-local address.
// It reads local charts only below the roots, if there are any: those of the first store may be wider than what this process may open.
func JoinStore(dir string, roots []string, log *slog.Logger) (*Store, error) {
	r, err := readRules(dir)
	if err != nil {
		return nil, err
	}
	if len(roots) > 0 {
		r.Roots = nil
	}
	for _, root := range roots {
		real, err := files.RealPath(root)
		if errors.Is(err, fs.ErrNotExist) {
			real, err = filepath.Abs(root) // a store without any root would have no limit
		}
		if err != nil {
			return nil, err
		}
		r.Roots = append(r.Roots, real)
	}
	return openStore(dir, r, log)
}

func openStore(dir string, r rules, log *slog.Logger) (*Store, error) {
	for _, name := range []string{"indexes", "archives"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return nil, fmt.Errorf("prepare chart store: %w", err)
		}
	}
	policy, known := egress.Policy{Allowed: r.Allowed}, &repositories.Known{}
	reader := files.New(r.Roots)
	trusted := trust.New(dir, reader)
	chartRepositories := chartrepo.New(dir, policy, trusted, log)
	registries := oci.New(policy, trusted, known)
	downloads := download.New(dir, trusted, chartRepositories, registries, log)
	builder := dependencies.New(dir, reader, known, chartRepositories, registries, downloads, log)
	return &Store{
		dir: dir, policy: policy, files: reader, trust: trusted, known: known, downloads: downloads, dependencies: builder, log: log,
	}, nil
}

// Confine makes the store, and stores that join its directory later, read local charts only below these directories and below its own.
func (s *Store) Confine(roots ...string) error {
	if err := s.files.Confine(append(roots, s.dir)...); err != nil {
		return err
	}
	return s.writeRules()
}

// Dir is where the downloads are; a process that is given it as HELM_REPOSITORY_CACHE shares them.
func (s *Store) Dir() string { return s.dir }

// AddRepositories registers repositories that charts and dependencies may refer to by name, URL or registry host.
// Nothing is downloaded. Of two repositories with one name the first one registered counts.
func (s *Store) AddRepositories(repositories ...release.Repository) {
	s.known.Add(repositories...)
}

// Load returns a chart of the caller's own: Helm alters charts while it processes their dependencies.
// It fails as `helm install` would for library charts and for dependencies that are not there.
func (s *Store) Load(ctx context.Context, c release.Chart) (*helmchart.Chart, error) {
	loaded, err := s.load(ctx, c)
	if err == nil {
		err = installable(loaded)
	}
	if err == nil {
		err = schema.Check(loaded)
	}
	if err != nil {
		return nil, fmt.Errorf("load chart %s: %w", describe(c), nameInError(c, charterrors.Redact(err)))
	}
	return loaded, nil
}

func (s *Store) load(ctx context.Context, c release.Chart) (loaded *helmchart.Chart, err error) {
	defer charterrors.RecoverPanic(&err)
	if c.Path != "" {
		return s.loadLocal(ctx, c)
	}
	found, err := s.archive(ctx, c)
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(found.Files)
}

// archive is the downloaded archive of a chart that is not local.
func (s *Store) archive(ctx context.Context, c release.Chart) (download.Archive, error) {
	at, err := s.downloads.Locate(ctx, c)
	if err != nil {
		return download.Archive{}, err
	}
	return s.downloads.Fetch(ctx, at)
}

// Pull unpacks a chart as into/<name>/Chart.yaml and returns that directory. It appears at once and complete, and
// replaces what was there.
func (s *Store) Pull(ctx context.Context, c release.Chart, into string) (string, error) {
	dir, err := s.pull(ctx, c, into)
	if err != nil {
		return "", fmt.Errorf("pull chart %s: %w", describe(c), charterrors.Redact(err))
	}
	return dir, nil
}

func (s *Store) pull(ctx context.Context, c release.Chart, into string) (string, error) {
	data, err := s.packaged(ctx, c)
	if err != nil {
		return "", err
	}
	s.pulls.Lock()
	defer s.pulls.Unlock()
	return unpack(data, into)
}

// packaged is a checked archive of the chart.
func (s *Store) packaged(ctx context.Context, c release.Chart) ([]byte, error) {
	if c.Path != "" {
		return s.files.ReadArchive(c.Path)
	}
	found, err := s.archive(ctx, c)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(found.Path)
}

// unpack works in a hidden directory beside the target, so that the final rename stays on one file system.
func unpack(archive []byte, into string) (string, error) {
	if err := os.MkdirAll(into, 0o755); err != nil {
		return "", fmt.Errorf("create %s: %w", into, err)
	}
	work, err := os.MkdirTemp(into, ".pull-")
	if err != nil {
		return "", fmt.Errorf("create a directory in %s: %w", into, err)
	}
	defer os.RemoveAll(work)
	if err := chartutil.Expand(work, bytes.NewReader(archive)); err != nil {
		return "", fmt.Errorf("unpack it: %w", err)
	}
	entries, err := os.ReadDir(work)
	if err != nil {
		return "", err
	}
	if len(entries) != 1 {
		return "", fmt.Errorf("unpack it: expected one chart directory, found %d", len(entries))
	}
	name := entries[0].Name()
	target := filepath.Join(into, name)
	// A directory cannot be renamed over another one: move the old one into work, which is removed.
	if err := os.Rename(target, filepath.Join(work, ".replaced")); err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("replace %s: %w", target, err)
	}
	if err := os.Rename(filepath.Join(work, name), target); err != nil {
		return "", fmt.Errorf("unpack it: %w", err)
	}
	return target, nil
}

// BuildDependencies fills charts/ of a chart directory as `helm dependency build` does. Charts that are loaded do not need it.
func (s *Store) BuildDependencies(ctx context.Context, dir string, repositories []release.Repository) error {
	return s.dependencies.Build(ctx, dir, repositories)
}

// UpdateDependencies resolves the dependencies of a chart directory again and writes the lock file, as `helm dependency update` does.
func (s *Store) UpdateDependencies(ctx context.Context, dir string, repositories []release.Repository) error {
	return s.dependencies.Update(ctx, dir, repositories)
}

// BuildCopy copies a chart directory to a directory below root, and builds or updates the dependencies of the copy. The chart directory
// must lie below the roots of the store.
func (s *Store) BuildCopy(ctx context.Context, dir, root string, update bool) (string, error) {
	return s.dependencies.BuildCopy(ctx, dir, root, update)
}
