package dependencies

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/downloader"
	"helm.sh/helm/v3/pkg/helmpath"
	"helm.sh/helm/v3/pkg/registry"
	"helm.sh/helm/v3/pkg/repo"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/chartrepo"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/digest"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/download"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/files"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/oci"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/once"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/repositories"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Builder builds the dependencies of chart directories. It is safe for concurrent use.
type Builder struct {
	dir          string
	files        *files.Reader
	known        *repositories.Known
	repositories *chartrepo.Client
	registries   *oci.Client
	downloads    *download.Downloader
	log          *slog.Logger
	builds       once.Results[string] // directories with dependencies

	// local is locked for writing while dependencies are built in place, because another chart may have the directory as a file://
	// dependency and read it at the same time.
	local sync.RWMutex
}

// New makes a builder that writes private copies of charts into dir.
func New(dir string, files *files.Reader, known *repositories.Known, chartRepositories *chartrepo.Client,
	registries *oci.Client, downloads *download.Downloader, log *slog.Logger) *Builder {
	return &Builder{dir: dir, files: files, known: known, repositories: chartRepositories, registries: registries, downloads: downloads, log: log}
}

// Build writes the dependencies into charts/ of a chart directory, as `helm dependency build` does. If there is a lock file, it must be in
// sync, and decides the versions. If charts/ is complete, Build does nothing. The dependencies may name the given repositories and the
// known ones.
func (b *Builder) Build(ctx context.Context, chartDir string, repos []release.Repository) (err error) {
	defer charterrors.RecoverPanic(&err)
	if b.complete(chartDir) {
		return nil
	}
	b.local.Lock()
	defer b.local.Unlock()
	c, err := b.files.LoadDirectory(chartDir)
	if err == nil && !b.satisfied(c, chartDir) {
		err = b.manage(ctx, c, chartDir, repos, (*downloader.Manager).Build)
	}
	return dependencyError("build", chartDir, err)
}

// Update resolves the dependencies again and writes the lock file, as `helm dependency update` does.
func (b *Builder) Update(ctx context.Context, chartDir string, repos []release.Repository) (err error) {
	defer charterrors.RecoverPanic(&err)
	b.local.Lock()
	defer b.local.Unlock()
	c, err := b.files.LoadDirectory(chartDir)
	if err == nil && len(c.Metadata.Dependencies) > 0 {
		c.Lock = nil // an update ignores the lock file
		err = b.manage(ctx, c, chartDir, repos, (*downloader.Manager).Update)
	}
	return dependencyError("update", chartDir, err)
}

func dependencyError(verb, dir string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s dependencies of chart %s: %w", verb, dir, charterrors.Redact(err))
}

// Load reads a chart directory while no dependencies are built in place.
func (b *Builder) Load(dir string) (*helmchart.Chart, error) {
	b.local.RLock()
	defer b.local.RUnlock()
	return b.files.LoadDirectory(dir)
}

// complete says whether charts/ has all dependencies. It needs only a read lock, so complete charts do not wait for others. A chart that
// cannot be read is not complete, and the caller returns the error.
func (b *Builder) complete(dir string) bool {
	b.local.RLock()
	defer b.local.RUnlock()
	c, err := b.files.LoadDirectory(dir)
	return err == nil && b.satisfied(c, dir)
}

// manage runs Helm's dependency manager with a configuration that has only the repositories of this chart. Otherwise Helm would download
// the index of every configured repository, and fail if one is missing.
func (b *Builder) manage(ctx context.Context, c *helmchart.Chart, dir string, repos []release.Repository,
	run func(*downloader.Manager) error) error {
	if err := b.checkDependencies(c, dir); err != nil {
		return err
	}
	work, err := os.MkdirTemp(b.dir, "dependencies-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	known := b.known.All(repos...)
	archives, err := b.writeRepoConfig(ctx, c, known, work)
	if err != nil {
		return err
	}
	client, err := b.dependencyRegistry(ctx, c, known)
	if err != nil {
		return err
	}
	var output bytes.Buffer
	err = run(&downloader.Manager{
		Out: &output, ChartPath: dir, Getters: b.getters(ctx, archives), RegistryClient: client,
		SkipUpdate: true, RepositoryConfig: filepath.Join(work, "repositories.yaml"), RepositoryCache: work,
	})
	b.log.Debug("dependencies built", "chart", dir, "output", output.String())
	return charterrors.WithHint(err)
}

// checkDependencies checks the local charts that Helm's manager reads itself. The copy of a chart also has copies of the charts with a
// relative path. An absolute path is refused, because it leads to files that another process may change after this check.
func (b *Builder) checkDependencies(c *helmchart.Chart, dir string) error {
	for _, d := range c.Metadata.Dependencies {
		if !strings.HasPrefix(d.Repository, localScheme) {
			continue
		}
		_, err := b.files.ReadDirectory(localPath(d.Repository, dir))
		if err == nil && len(b.files.Roots()) > 0 && filepath.IsAbs(strings.TrimPrefix(d.Repository, localScheme)) {
			err = errors.New("it is an absolute path: write it relative to the chart")
		}
		if err != nil {
			return fmt.Errorf("dependency %s: %s: %w", d.Name, d.Repository, err)
		}
	}
	return nil
}

// writeRepoConfig writes a repositories.yaml with the repositories of the dependencies, and for each repository an index with only the charts
// of the dependencies. It returns the locations of these charts by their URL.
func (b *Builder) writeRepoConfig(ctx context.Context, c *helmchart.Chart, known []release.Repository, work string) (map[string]download.Location, error) {
	archives := map[string]download.Location{}
	file := repo.NewFile()
	indexes := map[string]*repo.IndexFile{}
	for _, d := range c.Metadata.Dependencies {
		r, needed, err := repositoryFor(d, known)
		if err != nil {
			return nil, err
		}
		if !needed {
			continue
		}
		if indexes[r.Name] == nil {
			indexes[r.Name] = repo.NewIndexFile()
			entry := repositories.EntryOf(r)
			file.Add(&entry)
		}
		if !r.OCI {
			if err := b.addEntry(ctx, indexes[r.Name], r, d, c.Lock, archives); err != nil {
				return nil, fmt.Errorf("dependency %s: %w", d.Name, err)
			}
		}
	}
	for name, index := range indexes {
		if err := index.WriteJSONFile(filepath.Join(work, helmpath.CacheIndexFile(name)), 0o600); err != nil {
			return nil, err
		}
	}
	return archives, file.WriteFile(filepath.Join(work, "repositories.yaml"), 0o600)
}

func (b *Builder) addEntry(ctx context.Context, index *repo.IndexFile, r release.Repository, d *helmchart.Dependency,
	lock *helmchart.Lock, archives map[string]download.Location) error {
	all, err := b.repositories.Index(ctx, r)
	if err != nil {
		return err
	}
	// The error of Helm would have less information.
	if _, err := chartrepo.Pick(all, d.Name, wantedVersion(d, lock)); err != nil {
		return fmt.Errorf("in %s: %w", charterrors.PublicURL(r.URL), err)
	}
	for _, version := range all.Entries[d.Name] {
		if len(version.URLs) == 0 {
			continue // Pick has refused the wanted version if it has no URL
		}
		at, err := download.Location{Repository: r}.InIndex(d.Name, version)
		if err != nil {
			return err
		}
		archives[at.URL] = at
		absolute := *version
		absolute.URLs = []string{at.URL} // Helm resolves a relative URL in two different ways
		index.Entries[d.Name] = append(index.Entries[d.Name], &absolute)
	}
	return nil
}

// wantedVersion is the version in the lock file, or the constraint if there is no lock file.
func wantedVersion(d *helmchart.Dependency, lock *helmchart.Lock) string {
	if lock == nil {
		return d.Version
	}
	for _, locked := range lock.Dependencies {
		if locked != nil && locked.Name == d.Name {
			return locked.Version
		}
	}
	return d.Version
}

// repositoryFor finds the repository of a dependency. Helm needs none for a local chart and for an oci:// URL.
func repositoryFor(d *helmchart.Dependency, known []release.Repository) (release.Repository, bool, error) {
	name, named := alias(d.Repository)
	switch {
	case named:
		for _, r := range known {
			if r.Name == name {
				return r, true, nil
			}
		}
		return release.Repository{}, false, fmt.Errorf(
			"dependency %s: there is no repository %q: declare it under `repositories:`", d.Name, name)
	case d.Repository == "" || strings.HasPrefix(d.Repository, localScheme) || registry.IsOCI(d.Repository):
		return release.Repository{}, false, nil
	}
	for _, r := range known {
		if !r.OCI && sameURL(r.URL, d.Repository) {
			return r, true, nil
		}
	}
	if _, err := url.ParseRequestURI(d.Repository); err != nil {
		return release.Repository{}, false, fmt.Errorf(
			"dependency %s: its repository %q is neither a URL nor the name of a declared repository after @", d.Name, d.Repository)
	}
	return release.Repository{Name: "undeclared-" + digest.Of(d.Repository), URL: d.Repository}, true, nil
}

func alias(repository string) (string, bool) {
	if name, ok := strings.CutPrefix(repository, "@"); ok {
		return name, true
	}
	return strings.CutPrefix(repository, "alias:")
}

func sameURL(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }

// dependencyRegistry makes the client for the registries of all dependencies, because Helm's manager has only one. It uses plain HTTP if
// the repositories of these registries say so.
func (b *Builder) dependencyRegistry(ctx context.Context, c *helmchart.Chart, known []release.Repository) (*registry.Client, error) {
	plain, secure := map[string]bool{}, map[string]bool{}
	for _, d := range c.Metadata.Dependencies {
		at := d.Repository
		if r, needed, err := repositoryFor(d, known); err == nil && needed && r.OCI {
			at = repositories.OCIURL(r)
		}
		if !registry.IsOCI(at) {
			continue
		}
		if isPlain(repositories.OCIHost(at), known) {
			plain[repositories.OCIHost(at)] = true
		} else {
			secure[repositories.OCIHost(at)] = true
		}
	}
	if len(plain) > 0 && len(secure) > 0 {
		return nil, fmt.Errorf("its dependencies use registries over plain HTTP and over HTTPS: this is not supported in one chart")
	}
	return b.registries.HelmClient(ctx, known, len(plain) > 0)
}

func isPlain(host string, known []release.Repository) bool {
	for _, r := range known {
		if r.OCI && repositories.OCIHost(r.URL) == host && r.PlainHTTP {
			return true
		}
	}
	return false
}
