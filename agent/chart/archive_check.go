package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"sigs.k8s.io/yaml"
)

// The limits of what an archive may contain.
const (
	maxEntries = 10_000
	maxNesting = 10 // charts in charts
)

// check refuses an archive that is not what the index or the reference promised, or that is not safe to unpack.
func (l location) check(data []byte) error {
	if sum := sha256.Sum256(data); l.Digest != "" && !strings.EqualFold(strings.TrimPrefix(l.Digest, "sha256:"), hex.EncodeToString(sum[:])) {
		return fmt.Errorf("the archive has the sha256 digest %x, but the index says %s: it was replaced, or the index is out of date", sum, l.Digest)
	}
	if err := checkArchive(data); err != nil {
		return fmt.Errorf("read chart archive: %w", err)
	}
	if l.Name == "" && l.Version == "" {
		return nil
	}
	found, err := metadataOf(data)
	if err != nil {
		return fmt.Errorf("read chart archive: %w", err)
	}
	if l.Name != "" && found.Name != l.Name || l.Version != "" && !allowed(found.Version, l.Version) {
		return fmt.Errorf("the archive holds chart %q version %q, but %s was asked for", found.Name, found.Version,
			strings.TrimSpace(l.Name+" "+l.Version))
	}
	return nil
}

func metadataOf(data []byte) (helmchart.Metadata, error) {
	files, err := loader.LoadArchiveFiles(bytes.NewReader(data))
	if err != nil {
		return helmchart.Metadata{}, err
	}
	for _, file := range files {
		if file.Name == "Chart.yaml" {
			var found helmchart.Metadata
			return found, yaml.Unmarshal(file.Data, &found)
		}
	}
	return helmchart.Metadata{}, errors.New("Chart.yaml file is missing")
}

// archiveCheck counts over an archive and all archives in it: each could stay within limits that all together exceed.
type archiveCheck struct {
	entries  int
	unpacked int64
}

// checkArchive reads an archive, and the charts that are archives within it, without keeping anything.
func checkArchive(data []byte) error {
	return (&archiveCheck{}).archive(bytes.NewReader(data), 0)
}

func (c *archiveCheck) archive(compressed io.Reader, nesting int) error {
	unzipped, err := gzip.NewReader(compressed)
	if err != nil {
		return err
	}
	in := tar.NewReader(c.counted(unzipped))
	seen := map[string]bool{}
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.entry(header, in, seen, nesting); err != nil {
			return fmt.Errorf("%q: %w", header.Name, err)
		}
	}
}

func (c *archiveCheck) entry(header *tar.Header, content io.Reader, seen map[string]bool, nesting int) error {
	if c.entries++; c.entries > maxEntries {
		return fmt.Errorf("the archive has more than %d entries", maxEntries)
	}
	switch {
	case header.Typeflag == tar.TypeXGlobalHeader:
		return nil // holds comments, such as git's commit
	case header.Typeflag == tar.TypeDir:
		return checkName(header.Name)
	case header.Typeflag != tar.TypeReg || isSparse(header):
		return errors.New("is neither a plain file nor a directory: package the chart with `helm package`, without links")
	}
	if err := checkName(header.Name); err != nil {
		return err
	}
	name := withinChart(header.Name)
	if seen[name] {
		return errors.New("is in the archive twice: package the chart anew with `helm package`")
	}
	seen[name] = true
	return c.nested(name, content, nesting)
}

// nested checks an archive that Helm would load as a dependency.
func (c *archiveCheck) nested(name string, content io.Reader, nesting int) error {
	depth := nesting + strings.Count("/"+name, "/charts/")
	if depth > maxNesting {
		return fmt.Errorf("charts are nested more than %d deep", maxNesting)
	}
	if !nestedArchive.MatchString(name) {
		return nil
	}
	return c.archive(content, depth)
}

var nestedArchive = regexp.MustCompile(`^(charts/[^/_.][^/]*/)*charts/[^/_.][^/]*\.tgz$`)

func isSparse(header *tar.Header) bool {
	for name := range header.PAXRecords {
		if strings.HasPrefix(name, "GNU.sparse.") {
			return true
		}
	}
	return false
}

var drive = regexp.MustCompile(`^[a-zA-Z]:`)

// checkName reads a backslash as Helm does: as a slash.
func checkName(name string) error {
	name = strings.ReplaceAll(name, `\`, "/")
	elements := strings.Split(name, "/")
	if strings.HasPrefix(name, "/") || drive.MatchString(name) || len(elements) > 1 && drive.MatchString(elements[1]) {
		return errors.New("is an absolute path: package the chart with `helm package`")
	}
	for _, element := range elements {
		if element == ".." {
			return errors.New("leads out of the chart's directory: package the chart with `helm package`")
		}
	}
	if len(elements) > pathElements {
		return fmt.Errorf("is nested more than %d directories deep", pathElements)
	}
	return nil
}

// withinChart is the name without the first directory, whatever that is called: so Helm reads it.
func withinChart(name string) string {
	_, rest, _ := strings.Cut(strings.ReplaceAll(name, `\`, "/"), "/")
	return path.Clean(rest)
}

func (c *archiveCheck) counted(in io.Reader) io.Reader { return countedReader{c, in} }

// countedReader counts what was decompressed, headers and padding included.
type countedReader struct {
	c  *archiveCheck
	in io.Reader
}

func (r countedReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	r.c.unpacked += int64(n)
	if limit := loader.MaxDecompressedChartSize; r.c.unpacked > limit {
		return 0, fmt.Errorf("the archive is larger than the limit of %d MiB when unpacked", limit>>20)
	}
	return n, err
}

func lastElement(name string) string { return name[strings.LastIndex(name, "/")+1:] }

// tagVersion is the version that a tag names; empty for a tag such as latest. Tags have an underscore for the plus sign.
func tagVersion(tag string) string {
	version := strings.ReplaceAll(tag, "_", "+")
	if _, err := semver.NewVersion(version); err != nil {
		return ""
	}
	return version
}
