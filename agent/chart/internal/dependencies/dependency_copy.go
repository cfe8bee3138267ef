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

// BuildCopy copies a chart directory to a directory below root, and builds or updates the dependencies of the copy. It writes nothing into
// the chart directory.
func (b *Builder) BuildCopy(ctx context.Context, dir, root string, update bool) (string, error) {
	copied, _, err := b.copyChart(dir, root)
	if err != nil {
		return "", err
	}
	do := b.Build
	if update {
		do = b.Update
	}
	if err := do(ctx, copied, nil); err != nil {
		return "", charterrors.ReplacePath(err, root, "")
	}
	return copied, nil
}

// Directory returns a directory with the chart and all its dependencies. If a dependency is missing in the chart directory, this is a
// private copy. The chart directory may be in the working tree of a user, so Directory writes nothing into it.
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
	if err != nil {
		return "", charterrors.ReplacePath(err, root, "")
	}
	return copied, nil
}

// copyChart copies a chart directory and its file:// dependencies to the same paths below root. So relative paths stay valid, and neither
// Chart.yaml nor the digest in the lock file changes.
func (b *Builder) copyChart(dir, root string) (string, *helmchart.Chart, error) {
	b.local.RLock() // no dependencies are built in place while files are copied
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
	if err := b.copyAbsolutePaths(c, copied, root); err != nil {
		return "", nil, err
	}
	for _, d := range c.Metadata.Dependencies {
		path, local := strings.CutPrefix(d.Repository, localScheme)
		if !local || filepath.IsAbs(path) || strings.HasPrefix(filepath.Join(copied, path), filepath.Join(root, absolutePaths)) {
			continue
		}
		if err := b.copyDependency(filepath.Join(dir, path), filepath.Join(copied, path), root); err != nil {
			return "", nil, fmt.Errorf("dependency %s: %s: %w", d.Name, d.Repository, err)
		}
	}
	return copied, c, nil
}

// absolutePaths is the directory for copies of charts that a dependency names by an absolute path. chartify writes such dependencies.
const absolutePaths = "absolute-paths"

// copyAbsolutePaths copies the charts that dependencies name by an absolute path, and changes the dependencies of the copied chart to these
// copies. Otherwise Helm would read the originals, which another process may change. With a lock file this is not possible, and the agent
// refuses the chart later.
func (b *Builder) copyAbsolutePaths(c *helmchart.Chart, copied, root string) error {
	if c.Lock != nil || c.Metadata.APIVersion != helmchart.APIVersionV2 {
		return nil
	}
	changed := false
	for i, d := range c.Metadata.Dependencies {
		from, local := strings.CutPrefix(d.Repository, localScheme)
		if !local || !filepath.IsAbs(from) {
			continue
		}
		to := filepath.Join(root, absolutePaths, strconv.Itoa(i), filepath.Base(from))
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

// copyDependency copies a dependency, unless it is in the copy of the chart.
func (b *Builder) copyDependency(from, to, root string) error {
	if _, err := os.Stat(filepath.Join(to, "Chart.yaml")); err == nil {
		return nil
	}
	if !strings.HasPrefix(to, root+string(filepath.Separator)) {
		return errors.New("its file:// path leads out of the file system")
	}
	_, err := b.copyFiles(from, to)
	return err
}

// copyFiles copies the files that Helm reads in a chart directory. It leaves out the files in .helmignore, and copies the targets of links.
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
