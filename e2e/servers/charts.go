package servers

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/repo"
)

const indexFile = "index.yaml"

// ChartRepository serves packaged charts and their index.
type ChartRepository struct {
	*HTTP
	dir string
}

// NewChartRepository serves an empty repository. Its charts are in a temporary directory, which Close removes.
func NewChartRepository(opts Options) (*ChartRepository, error) {
	dir, err := os.MkdirTemp("", "charts-")
	if err != nil {
		return nil, fmt.Errorf("serve charts: %w", err)
	}
	r := &ChartRepository{dir: dir}
	if err = r.index(); err == nil {
		r.HTTP, err = newHTTP(opts, http.FileServer(http.Dir(dir)))
	}
	if err != nil {
		return nil, fmt.Errorf("serve charts: %w", errors.Join(err, os.RemoveAll(dir)))
	}
	return r, nil
}

// Add packages the chart in a directory and returns the path under which it is served, such as "/web-1.2.3.tgz".
func (r *ChartRepository) Add(chartDir string) (path string, err error) {
	return r.AddVersion(chartDir, "")
}

// AddVersion adds the chart under a version other than the one in its Chart.yaml.
func (r *ChartRepository) AddVersion(chartDir, version string) (path string, err error) {
	archive, err := pack(chartDir, version, r.dir)
	if err == nil {
		err = r.index()
	}
	if err != nil {
		return "", fmt.Errorf("add chart %s: %w", chartDir, err)
	}
	return "/" + filepath.Base(archive), nil
}

// Close stops the server and removes its charts.
func (r *ChartRepository) Close() {
	r.HTTP.Close()
	_ = os.RemoveAll(r.dir) // a temporary directory
}

// index lists the archives with URLs relative to the index, so that it is valid for every address of the server.
func (r *ChartRepository) index() error {
	index, err := repo.IndexDirectory(r.dir, "")
	if err != nil {
		return fmt.Errorf("index charts: %w", err)
	}
	if err := index.WriteFile(filepath.Join(r.dir, indexFile), 0o600); err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	return nil
}

// pack makes an archive of a chart directory, like `helm package --version`.
func pack(chartDir, version, destination string) (archive string, err error) {
	chart, err := loader.LoadDir(chartDir)
	if err != nil {
		return "", err
	}
	if version != "" {
		chart.Metadata.Version = version
	}
	return chartutil.Save(chart, destination)
}
