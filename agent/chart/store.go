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

// Store downloads and loads charts. It downloads each chart once in a run. It is safe for concurrent use.
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

// NewStore makes a store that writes downloads and indexes below dir. The directory must exist, be private, and be removed at the end of the
// run, because the store never downloads anything again. It connects only to hosts that the policy permits. Stores that join the directory
// have the same policy.
func NewStore(dir string, policy egress.Policy, log *slog.Logger) (*Store, error) {
	s, err := openStore(dir, rules{Allowed: policy.Allowed}, log)
	if err != nil {
		return nil, err
	}
	err = s.writeRules()
	return s, err
}

// JoinStore makes a store for a child process. It has the directory and the rules of an existing store. Without rules it cannot connect to
// loopback and link-local addresses. With roots it reads local charts only below them, because the process may open fewer files than the
// roots of the existing store contain.
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

// Dir is the directory of the downloads. A process with this directory in HELM_REPOSITORY_CACHE uses the same downloads.
func (s *Store) Dir() string { return s.dir }

// AddRepositories adds repositories that charts and dependencies may name. It downloads nothing. If two repositories have the same name, the
// first one counts.
func (s *Store) AddRepositories(repositories ...release.Repository) {
	s.known.Add(repositories...)
}

// Load loads a chart. Each caller gets a copy, because Helm changes a chart when it processes its dependencies. Library charts and missing
// dependencies are errors, as with `helm install`.
func (s *Store) Load(ctx context.Context, c release.Chart) (*helmchart.Chart, error) {
	loaded, err := s.load(ctx, c)
	if err == nil {
		err = checkInstallable(loaded)
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
	found, err := s.fetch(ctx, c)
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(found.Files)
}

// fetch downloads the archive of a chart that is not local.
func (s *Store) fetch(ctx context.Context, c release.Chart) (download.Archive, error) {
	at, err := s.downloads.Locate(ctx, c)
	if err != nil {
		return download.Archive{}, err
	}
	return s.downloads.Fetch(ctx, at)
}

// Pull unpacks a chart into the directory into/<name> and returns that directory. An existing directory is replaced. The new one is never
// incomplete.
func (s *Store) Pull(ctx context.Context, c release.Chart, into string) (string, error) {
	dir, err := s.pull(ctx, c, into)
	if err != nil {
		return "", fmt.Errorf("pull chart %s: %w", describe(c), charterrors.Redact(err))
	}
	return dir, nil
}

func (s *Store) pull(ctx context.Context, c release.Chart, into string) (string, error) {
	data, err := s.readChecked(ctx, c)
	if err != nil {
		return "", err
	}
	s.pulls.Lock()
	defer s.pulls.Unlock()
	return unpack(data, into)
}

// readChecked reads the archive of the chart after its checks.
func (s *Store) readChecked(ctx context.Context, c release.Chart) ([]byte, error) {
	if c.Path != "" {
		return s.files.ReadArchive(c.Path)
	}
	found, err := s.fetch(ctx, c)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(found.Path)
}

// unpack unpacks into a hidden directory in the same directory as the target, because a rename works only in one file system.
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
		return "", fmt.Errorf("unpack the archive: %w", err)
	}
	entries, err := os.ReadDir(work)
	if err != nil {
		return "", err
	}
	if len(entries) != 1 {
		return "", fmt.Errorf("unpack the archive: it has %d directories instead of one", len(entries))
	}
	name := entries[0].Name()
	target := filepath.Join(into, name)
	// A rename cannot replace a directory. So the old one is moved into work, which is removed.
	if err := os.Rename(target, filepath.Join(work, ".replaced")); err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("replace %s: %w", target, err)
	}
	if err := os.Rename(filepath.Join(work, name), target); err != nil {
		return "", fmt.Errorf("unpack the archive: %w", err)
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
