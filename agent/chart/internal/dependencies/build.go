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

// Build fills charts/ of a chart directory, in place, as `helm dependency build` does: from the lock file if there
// is one, which must then be in sync, else as an update. It does nothing when charts/ has everything already. The given
// repositories are known besides the registered ones. Charts that are loaded do not need it, see built.
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

// Update resolves the dependencies anew and writes the lock file, as `helm dependency update` does.
func (b *Builder) Update(ctx context.Context, chartDir string, repos []release.Repository) (err error) {
	defer charterrors.RecoverPanic(&err)
	b.local.Lock()
	defer b.local.Unlock()
	c, err := b.files.LoadDirectory(chartDir)
	if err == nil && len(c.Metadata.Dependencies) > 0 {
		c.Lock = nil // an update does not look at it
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

// complete spares the usual case the lock; an unreadable chart is not complete, and the caller finds out why.
func (b *Builder) complete(dir string) bool {
	b.local.RLock()
	defer b.local.RUnlock()
	c, err := b.files.LoadDirectory(dir)
	return err == nil && b.satisfied(c, dir)
}

// manage runs Helm's manager in a world that holds nothing but what this chart needs: Helm would download every
// configured index and fail for one that is missing.
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
	named, err := b.writeRepoConfig(ctx, c, known, work)
	if err != nil {
		return err
	}
	client, err := b.dependencyRegistry(ctx, c, known)
	if err != nil {
		return err
	}
	var said bytes.Buffer
	err = run(&downloader.Manager{
		Out: &said, ChartPath: dir, Getters: b.getters(ctx, named), RegistryClient: client,
		SkipUpdate: true, RepositoryConfig: filepath.Join(work, "repositories.yaml"), RepositoryCache: work,
	})
	b.log.Debug("dependencies built", "chart", dir, "said", said.String())
	return charterrors.WithHint(err)
}

// checkDependencies checks the local charts that Helm's manager reads by itself. A copy of the chart has copies of those beside it, but
// a full path leads out of the copy, to files that may change after this check.
func (b *Builder) checkDependencies(c *helmchart.Chart, dir string) error {
	for _, d := range c.Metadata.Dependencies {
		if !strings.HasPrefix(d.Repository, localScheme) {
			continue
		}
		_, err := b.files.ReadDirectory(localPath(d.Repository, dir))
		if err == nil && len(b.files.Roots()) > 0 && filepath.IsAbs(strings.TrimPrefix(d.Repository, localScheme)) {
			err = errors.New("it is a full path: write it relative to the chart")
		}
		if err != nil {
			return fmt.Errorf("dependency %s: %s: %w", d.Name, d.Repository, err)
		}
	}
	return nil
}

// writeRepoConfig writes the repositories that the dependencies name, and of each index the charts that they name. It returns the
// archives of these charts by their URL.
func (b *Builder) writeRepoConfig(ctx context.Context, c *helmchart.Chart, known []release.Repository, work string) (map[string]download.Location, error) {
	named := map[string]download.Location{}
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
			if err := b.addEntry(ctx, indexes[r.Name], r, d, c.Lock, named); err != nil {
				return nil, fmt.Errorf("dependency %s: %w", d.Name, err)
			}
		}
	}
	for name, index := range indexes {
		if err := index.WriteJSONFile(filepath.Join(work, helmpath.CacheIndexFile(name)), 0o600); err != nil {
			return nil, err
		}
	}
	return named, file.WriteFile(filepath.Join(work, "repositories.yaml"), 0o600)
}

func (b *Builder) addEntry(ctx context.Context, index *repo.IndexFile, r release.Repository, d *helmchart.Dependency,
	lock *helmchart.Lock, named map[string]download.Location) error {
	all, err := b.repositories.Index(ctx, r)
	if err != nil {
		return err
	}
	// Helm would find out too, but say less about it.
	if _, err := chartrepo.Pick(all, d.Name, wanted(d, lock)); err != nil {
		return fmt.Errorf("in %s: %w", charterrors.PublicURL(r.URL), err)
	}
	for _, version := range all.Entries[d.Name] {
		if len(version.URLs) == 0 {
			continue // pick has refused it if it is the wanted one
		}
		at, err := download.Location{Repository: r}.InIndex(d.Name, version)
		if err != nil {
			return err
		}
		named[at.URL] = at
		absolute := *version
		absolute.URLs = []string{at.URL} // Helm's two ways to complete a relative URL differ from each other
		index.Entries[d.Name] = append(index.Entries[d.Name], &absolute)
	}
	return nil
}

func wanted(d *helmchart.Dependency, lock *helmchart.Lock) string {
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

// repositoryFor finds the repository that Helm must know for a dependency; none for local charts and registries.
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
			"dependency %s: no repository is called %q: declare it under `repositories:`", d.Name, name)
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
			"dependency %s: its repository %q is neither a URL nor @ and the name of a declared repository", d.Name, d.Repository)
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

// dependencyRegistry speaks plain HTTP if the registries of the dependencies are declared so; Helm's manager has one
// client for all of them.
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
		return nil, fmt.Errorf("its dependencies come from registries over plain HTTP and over HTTPS: that is not supported in one chart")
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
