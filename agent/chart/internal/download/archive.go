package download

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/registry"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/archive"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/charterrors"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/chartrepo"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/oci"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/once"
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/trust"
)

// Archive is a downloaded chart: its file and its content. Callers share the content and do not change it.
type Archive struct {
	Path  string
	Files []*loader.BufferedFile
}

// Downloader downloads charts, each once. It is safe for concurrent use.
type Downloader struct {
	dir          string
	trust        *trust.Reader
	repositories *chartrepo.Client
	registries   *oci.Client
	log          *slog.Logger
	archives     once.Results[Archive]
}

// New makes a downloader that stores archives in dir.
func New(dir string, trust *trust.Reader, repositories *chartrepo.Client, registries *oci.Client, log *slog.Logger) *Downloader {
	return &Downloader{dir: dir, trust: trust, repositories: repositories, registries: registries, log: log}
}

// Fetch downloads and verifies an archive once.
func (d *Downloader) Fetch(ctx context.Context, at Location) (Archive, error) {
	return d.archives.Get(ctx, at.key(), func() (Archive, error) {
		dir := filepath.Join(d.dir, "archives", at.key())
		file := archiveIn(dir)
		if file == "" {
			if err := d.downloadInto(ctx, at, dir); err != nil {
				return Archive{}, err
			}
			file = archiveIn(dir)
		}
		return openArchive(file)
	})
}

// archiveIn is the archive in a download directory. It is empty if the directory has none.
func archiveIn(dir string) string {
	entries, _ := os.ReadDir(dir) // an error means that the archive is not downloaded yet
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".prov") {
			return filepath.Join(dir, e.Name())
		}
	}
	return ""
}

func openArchive(file string) (Archive, error) {
	f, err := os.Open(file)
	if err != nil {
		return Archive{}, err
	}
	defer func() { _ = f.Close() }() // only read
	files, err := loader.LoadArchiveFiles(f)
	if err != nil {
		return Archive{}, fmt.Errorf("read chart archive: %w", err)
	}
	return Archive{Path: file, Files: files}, nil
}

// downloadInto creates dir only when the archive is complete and, if required, verified.
func (d *Downloader) downloadInto(ctx context.Context, at Location, dir string) error {
	d.log.Debug("downloading chart", "url", charterrors.PublicURL(at.URL))
	downloaded, err := d.download(ctx, at)
	if err == nil {
		err = at.Expected.Check(downloaded.Data)
	}
	if err != nil {
		return fmt.Errorf("download %s: %w", charterrors.PublicURL(at.URL), err)
	}
	work, err := os.MkdirTemp(d.dir, "download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	file := filepath.Join(work, downloaded.Name)
	if err := os.WriteFile(file, downloaded.Data, 0o600); err != nil {
		return err
	}
	if at.Verify {
		if err := d.trust.Verify(file, downloaded.Provenance, at.Keyring); err != nil {
			return fmt.Errorf("verify %s: %w", charterrors.PublicURL(at.URL), err)
		}
	}
	// Another process with the same store may have downloaded the same archive first.
	if err := os.Rename(work, dir); err != nil && archiveIn(dir) == "" {
		return err
	}
	return nil
}

func (d *Downloader) download(ctx context.Context, at Location) (archive.File, error) {
	if registry.IsOCI(at.URL) {
		return d.registries.Download(ctx, at.URL, at.Repository, at.Verify)
	}
	u, err := url.Parse(at.URL)
	if err != nil {
		return archive.File{}, err
	}
	data, err := d.repositories.Get(ctx, at.URL, at.Repository, limits.ArchiveSize)
	if err != nil {
		return archive.File{}, err
	}
	downloaded := archive.File{Name: fileName(u), Data: data}
	if !at.Verify {
		return downloaded, nil
	}
	u.Path += ".prov"
	downloaded.Provenance, err = d.repositories.Get(ctx, u.String(), at.Repository, limits.ArchiveSize)
	if err != nil {
		return archive.File{}, fmt.Errorf("fetch its provenance file: %w", err)
	}
	return downloaded, nil
}

func fileName(u *url.URL) string {
	if name := path.Base(u.Path); name != "." && name != "/" {
		return name
	}
	return "chart.tgz"
}
