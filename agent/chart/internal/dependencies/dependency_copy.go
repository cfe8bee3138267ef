package dependencies

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/downloader"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/digest"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// BuildCopy is a private copy of a chart directory whose dependencies were built, or updated if that is asked for, as the commands of
// `helm dependency` would do in place. It lies below root. The directory must lie below the store's roots, and nothing is written into it.
func (b *Builder) BuildCopy(ctx context.Context, dir, root string, update bool) (string, error) {
	copied, _, err := b.copyChart(dir, root)
	if err != nil {
		return "", err
	}
	do := b.Build
	if update {
		do = b.Update
	}
	if err := do(ctx, copied, nil); err != nil { // about a place that the user does not know
		return "", charterrors.ReplacePath(err, root, "")
	}
	return copied, nil
}

// built is a directory with the chart and all its dependencies: the chart's own if nothing is missing there, else a private
// copy. A checkout may be somebody's working tree: nothing is ever written into it. [Store.BuildDependencies], which works
// in place, is for those who ask for just that.
func (b *Builder) Directory(ctx context.Context, dir string, repos []release.Repository) (string, error) {
	if b.complete(dir) {
		return dir, nil
	}
	return b.builds.Get(ctx, dir+"\x00"+digest.Of(repos), func() (string, error) {
		copied, err := b.buildCopy(ctx, dir, repos)
		return copied, dependencyError("build", dir, err)
	})
}

func (b *Builder) buildCopy(ctx context.Context, dir string, repos []release.Repository) (string, error) {
	root, err := os.MkdirTemp(b.dir, "built-")
	if err != nil {
		return "", err
	}
	copied, c, err := b.copyChart(dir, root)
	if err != nil {
		return "", err
	}
	err = b.manage(ctx, c, copied, repos, (*downloader.Manager).Build)
	if err != nil { // about a place that nobody knows
		return "", charterrors.ReplacePath(err, root, "")
	}
	return copied, nil
}

// copyChart copies a chart directory to the same path below root, and what it refers to by file:// likewise: relative
// references stay true, and so neither Chart.yaml nor the digest in its lock file need change.
func (b *Builder) copyChart(dir, root string) (string, *helmchart.Chart, error) {
	b.local.RLock() // nobody is building in the directories that are read
	defer b.local.RUnlock()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	copied := filepath.Join(root, dir)
	c, err := b.copyFiles(dir, copied)
	if err != nil {
		return "", nil, err
	}
	if err := b.copyFullPaths(c, copied, root); err != nil {
		return "", nil, err
	}
	for _, d := range c.Metadata.Dependencies {
		path, local := strings.CutPrefix(d.Repository, localScheme)
		if !local || filepath.IsAbs(path) || strings.HasPrefix(filepath.Join(copied, path), filepath.Join(root, fullPaths)) {
			continue
		}
		if err := b.copyBeside(filepath.Join(dir, path), filepath.Join(copied, path), root); err != nil {
			return "", nil, fmt.Errorf("dependency %s: %s: %w", d.Name, d.Repository, err)
		}
	}
	return copied, c, nil
}

// fullPaths is where charts are copied that a dependency names by a full path, as chartify does.
const fullPaths = "full-paths"

// copyFullPaths copies the charts that dependencies name by a full path, and makes the copy of the chart name these copies: Helm would
// read the originals, which another process may change meanwhile. With a lock file that is not possible, and is refused later.
func (b *Builder) copyFullPaths(c *helmchart.Chart, copied, root string) error {
	if c.Lock != nil || c.Metadata.APIVersion != helmchart.APIVersionV2 {
		return nil
	}
	changed := false
	for i, d := range c.Metadata.Dependencies {
		from, local := strings.CutPrefix(d.Repository, localScheme)
		if !local || !filepath.IsAbs(from) {
			continue
		}
		to := filepath.Join(root, fullPaths, strconv.Itoa(i), filepath.Base(from))
		if _, err := b.copyFiles(from, to); err != nil {
			return fmt.Errorf("dependency %s: %s: %w", d.Name, d.Repository, err)
		}
		relative, err := filepath.Rel(copied, to)
		if err != nil {
			return err
		}
		d.Repository, changed = localScheme+filepath.ToSlash(relative), true
	}
	if !changed {
		return nil
	}
	return chartutil.SaveChartfile(filepath.Join(copied, chartutil.ChartfileName), c.Metadata)
}

// copyBeside copies a dependency that is not within the chart's copy already.
func (b *Builder) copyBeside(from, to, root string) error {
	if _, err := os.Stat(filepath.Join(to, "Chart.yaml")); err == nil {
		return nil
	}
	if !strings.HasPrefix(to, root+string(filepath.Separator)) {
		return errors.New("its file:// path leads out of the file system")
	}
	_, err := b.copyFiles(from, to)
	return err
}

// copyFiles copies what Helm reads of a chart directory: what .helmignore names stays behind, links become what they link to.
func (b *Builder) copyFiles(from, to string) (*helmchart.Chart, error) {
	c, err := b.files.LoadDirectory(from)
	if err != nil {
		return nil, err
	}
	for _, file := range c.Raw {
		target := filepath.Join(to, filepath.FromSlash(file.Name))
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(target, file.Data, 0o600); err != nil {
			return nil, err
		}
	}
	return c, nil
}
