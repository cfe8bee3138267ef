package chart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/trust"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// loadLocal reads a chart directory or archive. It builds missing dependencies of a directory.
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
		if dir, err = s.dependencies.Directory(ctx, c.Path, repository); err != nil {
			return nil, err
		}
	}
	return s.dependencies.Load(dir)
}

func (s *Store) loadArchive(c release.Chart) (*helmchart.Chart, error) {
	data, err := s.files.ReadArchive(c.Path)
	if err != nil {
		return nil, err
	}
	if c.Verify {
		if err := s.verifyLocal(c, data); err != nil {
			return nil, fmt.Errorf("verify %w", err)
		}
	}
	return loader.LoadArchive(bytes.NewReader(data))
}

// verifyLocal verifies the content that was read. It writes the content to a file of the store, because Helm verifies only files.
func (s *Store) verifyLocal(c release.Chart, data []byte) error {
	provenance, err := s.files.Read(c.Path+".prov", limits.ArchiveSize)
	if err != nil {
		return fmt.Errorf("read its provenance file: %w", err)
	}
	work, err := os.MkdirTemp(s.dir, "verify-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	file := filepath.Join(work, filepath.Base(c.Path))
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return err
	}
	return s.trust.Verify(file, provenance, trust.Keyring(c))
}

// checkInstallable makes two checks that only the commands of Helm make, not its library.
func checkInstallable(c *helmchart.Chart) error {
	if c.Metadata.Type != "" && c.Metadata.Type != "application" {
		return fmt.Errorf("%s charts are not installable", c.Metadata.Type)
	}
	present := map[string]bool{}
	for _, d := range c.Dependencies() {
		present[d.Name()] = true
	}
	var missing []string
	for _, want := range c.Metadata.Dependencies {
		if !present[want.Name] {
			missing = append(missing, want.Name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("it declares dependencies that are missing in its charts/ directory: %s", strings.Join(missing, ", "))
	}
	return nil
}
