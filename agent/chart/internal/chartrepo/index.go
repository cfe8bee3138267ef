package chartrepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"helm.sh/helm/v3/pkg/repo"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/digest"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Index is the index of a repository. Callers share it and do not change it.
func (c *Client) Index(ctx context.Context, r release.Repository) (*repo.IndexFile, error) {
	key := indexKey(r)
	return c.indexes.Get(ctx, key, func() (*repo.IndexFile, error) {
		file := filepath.Join(c.dir, "indexes", key+".json")
		if _, err := os.Stat(file); err == nil {
			return repo.LoadIndexFile(file)
		}
		index, err := c.downloadIndex(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("download index of %s: %w", charterrors.PublicURL(r.URL), err)
		}
		// It is stored as JSON, because JSON parses ten times faster than YAML.
		return index, index.WriteJSONFile(file, 0o600)
	})
}

// indexKey is the name of the downloaded index. The name of the repository does not matter.
func indexKey(r release.Repository) string {
	r.Name = ""
	return digest.Of(r)
}

func (c *Client) downloadIndex(ctx context.Context, r release.Repository) (*repo.IndexFile, error) {
	at, err := repo.ResolveReferenceURL(r.URL, "index.yaml")
	if err != nil {
		return nil, err
	}
	c.log.Debug("downloading index", "repository", charterrors.PublicURL(r.URL))
	data, err := c.Get(ctx, at, r, limits.IndexSize)
	if err != nil {
		return nil, err
	}
	// Helm parses indexes only from files.
	work, err := os.MkdirTemp(c.dir, "index-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	file := filepath.Join(work, "index.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return nil, err
	}
	return repo.LoadIndexFile(file)
}

// Pick finds a version as Helm does: the exact version, or the newest one that the constraint permits.
func Pick(index *repo.IndexFile, name, version string) (*repo.ChartVersion, error) {
	found, err := index.Get(name, version)
	switch {
	case errors.Is(err, repo.ErrNoChartName):
		return nil, fmt.Errorf("the repository has no chart %q%s", name, charterrors.ListAfter("; it has ", similar(name, index)))
	case err != nil:
		return nil, fmt.Errorf("the repository has no version %q of chart %q (%w)%s",
			version, name, err, charterrors.ListAfter("; newest: ", newest(index.Entries[name])))
	case len(found.URLs) == 0:
		return nil, fmt.Errorf("the repository's index has no URL for chart %q version %s", name, found.Version)
	}
	return found, nil
}

func newest(versions repo.ChartVersions) []string {
	var names []string
	for _, v := range versions[:min(len(versions), charterrors.MaxSuggestions)] { // Helm sorts them, newest first
		names = append(names, v.Version)
	}
	return names
}

// similar returns the chart names that are similar to the wanted one.
func similar(wanted string, index *repo.IndexFile) []string {
	distances := map[string]int{}
	var names []string
	for name := range index.Entries {
		d := levenshtein.Distance(wanted, name, nil)
		if strings.Contains(name, wanted) || strings.Contains(wanted, name) {
			d = 0
		}
		if d <= max(2, len(wanted)/3) {
			distances[name] = d
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(distances[a], distances[b]), cmp.Compare(a, b))
	})
	return names[:min(len(names), charterrors.MaxSuggestions)]
}
