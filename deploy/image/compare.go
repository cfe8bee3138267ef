package main

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// compare checks that two images behave the same: they have the same files with the same modes, owners and contents, and the same
// configuration. It ignores the number of layers and the dates.
func compare(out io.Writer, arch, left, right string) error {
	a, err := describeFile(left, arch)
	if err != nil {
		return fmt.Errorf("read %s: %w", left, err)
	}
	b, err := describeFile(right, arch)
	if err != nil {
		return fmt.Errorf("read %s: %w", right, err)
	}
	different := differences(a, b)
	for _, line := range different {
		fmt.Fprintln(out, line)
	}
	if len(different) > 0 {
		return fmt.Errorf("%s (-) and %s (+) differ in %d lines", left, right, len(different))
	}
	fmt.Fprintf(out, "equal for linux/%s in %d files and settings\n", arch, len(a))
	return nil
}

// differences returns a diff of two descriptions, sorted by file or setting.
func differences(a, b map[string]string) []string {
	var lines []string
	keys := maps.Clone(a)
	maps.Copy(keys, b)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if a[key] == b[key] {
			continue
		}
		if v, ok := a[key]; ok {
			lines = append(lines, "- "+key+" "+v)
		}
		if v, ok := b[key]; ok {
			lines = append(lines, "+ "+key+" "+v)
		}
	}
	return lines
}

func describeFile(path, arch string) (map[string]string, error) {
	directory, done, err := unpacked(path)
	if err != nil {
		return nil, err
	}
	defer done()
	image, err := platformImage(directory, arch)
	if err != nil {
		return nil, err
	}
	return describe(image)
}

// describe returns a description of an image: one text for each file and setting.
func describe(image v1.Image) (map[string]string, error) {
	words, err := describeTree(image)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	words["platform"] = config.OS + "/" + config.Architecture
	words["user"] = config.Config.User
	words["entrypoint"] = strings.Join(config.Config.Entrypoint, " ")
	words["command"] = strings.Join(config.Config.Cmd, " ")
	words["directory"] = config.Config.WorkingDir
	for _, variable := range config.Config.Env {
		name, value, _ := strings.Cut(variable, "=")
		words["env "+name] = value
	}
	for key, value := range config.Config.Labels {
		if key != "io.buildah.version" { // buildah adds this label to all images
			words["label "+key] = value
		}
	}
	return words, nil
}

func describeTree(image v1.Image) (map[string]string, error) {
	tree := mutate.Extract(image)
	defer tree.Close()
	words := map[string]string{}
	archive := tar.NewReader(tree)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return words, nil
		}
		if err != nil {
			return nil, err
		}
		path := "/" + strings.Trim(strings.TrimPrefix(header.Name, "./"), "/")
		if words[path], err = describeEntry(header, archive); err != nil {
			return nil, err
		}
	}
}

func describeEntry(header *tar.Header, content io.Reader) (string, error) {
	common := fmt.Sprintf("%s %d:%d", header.FileInfo().Mode(), header.Uid, header.Gid)
	switch header.Typeflag {
	case tar.TypeDir:
		return common, nil
	case tar.TypeReg:
		sum := sha256.New()
		if _, err := io.Copy(sum, content); err != nil {
			return "", err
		}
		return fmt.Sprintf("%s sha256:%x", common, sum.Sum(nil)), nil
	}
	return common + " -> " + header.Linkname, nil
}

// unpacked returns the directory of the layout at path. It unpacks an archive into a temporary directory, which done removes.
func unpacked(path string) (directory string, done func(), err error) {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return path, func() {}, err
	}
	if directory, err = os.MkdirTemp("", "image-"); err != nil {
		return "", nil, err
	}
	done = func() { os.RemoveAll(directory) }
	if err := unpack(path, directory); err != nil {
		done()
		return "", nil, err
	}
	return directory, done, nil
}

func unpack(path, directory string) error {
	source, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // only read
	archive := tar.NewReader(source)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		if !filepath.IsLocal(header.Name) {
			return fmt.Errorf("%s leads out of the archive", header.Name)
		}
		if err := unpackFile(filepath.Join(directory, header.Name), archive); err != nil {
			return err
		}
	}
}

func unpackFile(path string, content io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	target, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = target.Close() }() // after an error; otherwise it is closed below
	if _, err := io.Copy(target, content); err != nil {
		return err
	}
	return target.Close()
}

// platformImage finds the image of an architecture in a layout. The layout can name it directly or in an index.
func platformImage(directory, arch string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(directory)
	if err != nil {
		return nil, err
	}
	return imageFor(index, arch)
}

func imageFor(index v1.ImageIndex, arch string) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, d := range manifest.Manifests {
		switch {
		case d.MediaType.IsIndex():
			inner, err := index.ImageIndex(d.Digest)
			if err != nil {
				return nil, err
			}
			return imageFor(inner, arch)
		case d.MediaType.IsImage() && d.ArtifactType == "" && (d.Platform == nil || d.Platform.Architecture == arch):
			return index.Image(d.Digest)
		}
	}
	return nil, fmt.Errorf("no image for %s", arch)
}
