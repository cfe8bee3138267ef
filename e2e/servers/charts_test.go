package servers

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/getter"
	"helm.sh/helm/v3/pkg/repo"
)

func TestChartRepositoryIsPulledFrom(t *testing.T) {
	for how, opts := range access {
		t.Run(how, func(t *testing.T) {
			server, err := NewChartRepository(opts)
			ok(t, err)
			t.Cleanup(server.Close)
			dir := chartDir(t, "web", "1.2.3")
			path, err := server.Add(dir)
			ok(t, err)
			_, err = server.AddVersion(dir, "2.0.0")
			ok(t, err)

			entry := &repo.Entry{Name: "e2e", URL: server.URL, Username: opts.Username, Password: opts.Password, CAFile: caFile(t, server.HTTP)}
			index := pullIndex(t, entry)
			if n := len(index.Entries["web"]); n != 2 {
				t.Errorf("%d versions, want 2", n)
			}
			version, err := index.Get("web", "1.2.3")
			ok(t, err)
			pullArchive(t, entry, version.URLs[0])
			if diff := cmp.Diff([]string{"GET /index.yaml", "GET " + path}, server.Requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func pullIndex(t *testing.T, entry *repo.Entry) *repo.IndexFile {
	t.Helper()
	charts, err := repo.NewChartRepository(entry, getter.All(cli.New()))
	ok(t, err)
	charts.CachePath = filepath.Join(t.TempDir(), "cache")
	path, err := charts.DownloadIndexFile()
	ok(t, err)
	index, err := repo.LoadIndexFile(path)
	ok(t, err)
	return index
}

func pullArchive(t *testing.T, entry *repo.Entry, ref string) {
	t.Helper()
	url, err := repo.ResolveReferenceURL(entry.URL, ref)
	ok(t, err)
	get, err := getter.NewHTTPGetter()
	ok(t, err)
	archive, err := get.Get(url, getter.WithURL(entry.URL), getter.WithBasicAuth(entry.Username, entry.Password),
		getter.WithTLSClientConfig("", "", entry.CAFile))
	ok(t, err)
	chart, err := loader.LoadArchive(archive)
	ok(t, err)
	if got := chart.Metadata.Name + " " + chart.Metadata.Version; got != "web 1.2.3" {
		t.Errorf("pulled %s", got)
	}
}
