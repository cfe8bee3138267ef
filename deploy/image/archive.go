package main

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// binary is the program of one platform.
type binary struct {
	arch string
	path string
}

// parseBinaries reads arguments such as amd64=bin/agent.
func parseBinaries(args []string) ([]binary, error) {
	var list []binary
	for _, arg := range args {
		arch, path, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not ARCHITECTURE=BINARY", arg)
		}
		list = append(list, binary{arch, path})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("an image needs a binary\n%s", usage)
	}
	slices.SortFunc(list, func(a, b binary) int { return strings.Compare(a.arch, b.arch) })
	return list, nil
}

// built has the image and the bill of materials of one platform.
type built struct {
	arch  string
	image v1.Image
	bill  []byte
}

// writeArchive writes the archive, and beside it a bill of materials for each platform.
func writeArchive(output string, release Release, binaries []binary) ([]built, error) {
	list, err := buildAll(release, binaries)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	if err := writeLayout(scratch, release, list); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return nil, err
	}
	for _, b := range list {
		if err := os.WriteFile(billPath(output, b.arch), b.bill, 0o644); err != nil {
			return nil, err
		}
	}
	return list, pack(output, scratch, release.Date)
}

func buildAll(release Release, binaries []binary) ([]built, error) {
	var list []built
	for _, b := range binaries {
		bill, err := billOf(release, b.arch, b.path)
		if err != nil {
			return nil, fmt.Errorf("list the modules in %s: %w", b.path, err)
		}
		image, err := imageOf(release, b.arch, b.path)
		if err != nil {
			return nil, fmt.Errorf("image for %s: %w", b.arch, err)
		}
		list = append(list, built{b.arch, image, bill})
	}
	return list, nil
}

func billPath(output, arch string) string {
	return strings.TrimSuffix(output, ".tar") + "-linux-" + arch + ".cdx.json"
}

// writeLayout writes an OCI image layout. index.json names one index with the images of all platforms, so that one digest
// is valid for all of them. The bills of materials follow it.
func writeLayout(directory string, release Release, list []built) error {
	path, err := layout.Write(directory, empty.Index)
	if err != nil {
		return err
	}
	if err := appendIndex(path, release, list); err != nil {
		return err
	}
	for _, b := range list {
		if err := appendBill(path, b.image, b.bill, release); err != nil {
			return fmt.Errorf("attach the bill of materials for %s: %w", b.arch, err)
		}
	}
	return nil
}

// appendIndex writes the index itself, because the library would give each image an artifactType.
func appendIndex(path layout.Path, release Release, list []built) error {
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Annotations: labels(release)}
	for _, b := range list {
		if err := path.WriteImage(b.image); err != nil {
			return err
		}
		d, err := descriptorOf(b.image)
		if err != nil {
			return err
		}
		d.Platform = &v1.Platform{OS: "linux", Architecture: b.arch}
		index.Manifests = append(index.Manifests, d)
	}
	manifest, err := json.Marshal(index)
	if err != nil {
		return err
	}
	d, err := appendBlob(path, types.OCIImageIndex, manifest)
	if err != nil {
		return err
	}
	d.Annotations = names(release)
	return path.AppendDescriptor(d)
}

func descriptorOf(image v1.Image) (v1.Descriptor, error) {
	digest, err := image.Digest()
	if err != nil {
		return v1.Descriptor{}, err
	}
	size, err := image.Size()
	return v1.Descriptor{MediaType: types.OCIManifestSchema1, Size: size, Digest: digest}, err
}

// names returns the annotations by which tools find the image in the archive: the tag for skopeo, podman and oras, the full name for
// containerd.
func names(release Release) map[string]string {
	return map[string]string{
		"org.opencontainers.image.ref.name": release.Version,
		"io.containerd.image.name":          release.Name + ":" + release.Version,
	}
}

// pack writes the layout into one file. The same layout always gives the same bytes.
func pack(output, directory string, date time.Time) error {
	target, err := os.Create(output)
	if err != nil {
		return err
	}
	defer func() { _ = target.Close() }() // after an error; otherwise it is closed below
	archive := tar.NewWriter(target)
	err = filepath.WalkDir(directory, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(directory, path)
		if err != nil {
			return err
		}
		return packFile(archive, path, filepath.ToSlash(name), date)
	})
	if err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return target.Close()
}

func packFile(archive *tar.Writer, path, name string, date time.Time) error {
	source, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // only read
	info, err := source.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: info.Size(), ModTime: date}); err != nil {
		return err
	}
	_, err = io.Copy(archive, source)
	return err
}
