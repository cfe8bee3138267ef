package chart

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/downloader"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// loadLocal reads a chart from its directory or archive, with a directory's dependencies, which are built if need be.
func (s *Store) loadLocal(ctx context.Context, c release.Chart) (*helmchart.Chart, error) {
	info, err := os.Stat(c.Path)
	dir := c.Path
	switch {
	case err != nil:
		return nil, err
	case !info.IsDir():
		return s.loadArchive(c)
	case c.Verify:
		return nil, errors.New("only packaged charts can be verified, and this is a directory: set verify: false")
	case !c.SkipDependencies:
		repository := []release.Repository{}
		if c.Repository != nil {
			repository = append(repository, *c.Repository)
		}
		if dir, err = s.built(ctx, c.Path, repository); err != nil {
			return nil, err
		}
	}
	s.local.RLock()
	defer s.local.RUnlock()
	return s.loadDir(dir)
}

func (s *Store) loadArchive(c release.Chart) (*helmchart.Chart, error) {
	if err := s.checkLocalArchive(c.Path); err != nil {
		return nil, err
	}
	if c.Verify {
		if _, err := downloader.VerifyChart(c.Path, keyring(c)); err != nil {
			return nil, fmt.Errorf("verify with keyring %s: %w", keyring(c), err)
		}
	}
	return loader.LoadFile(c.Path)
}

// checkLocalArchive holds an archive of the repository to the same rules as a downloaded one, once.
func (s *Store) checkLocalArchive(file string) error {
	if _, err := s.checkPath(file); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%s\x00%d\x00%s", file, info.Size(), info.ModTime())
	_, err = s.checked.get(context.Background(), key, func() (struct{}, error) { return struct{}{}, readLocalArchive(file) })
	return err
}

func readLocalArchive(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(&limitedReader{from: f, left: archiveLimit, limit: archiveLimit})
	if err == nil {
		err = checkArchive(data)
	}
	if err != nil {
		return fmt.Errorf("read chart archive: %w", err)
	}
	return nil
}

// installable makes the two checks that Helm makes in its commands and not in its library.
func installable(c *helmchart.Chart) error {
	if c.Metadata.Type != "" && c.Metadata.Type != "application" {
		return fmt.Errorf("%s charts are not installable", c.Metadata.Type)
	}
	there := map[string]bool{}
	for _, d := range c.Dependencies() {
		there[d.Name()] = true
	}
	var missing []string
	for _, want := range c.Metadata.Dependencies {
		if !there[want.Name] {
			missing = append(missing, want.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("dependencies declared, but missing in its charts/ directory: %s", strings.Join(missing, ", "))
	}
	return nil
}
