package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/limits"
)

// The limits of what an archive may contain.
const (
	MaxEntries = 10_000
	MaxNesting = 10 // charts in charts
)

// check counts the entries and bytes of an archive together with those of all archives in it, because the limits are for all of them.
type check struct {
	entries  int
	unpacked int64
}

// Check reads an archive and the archives of charts in it. It stores nothing.
func Check(data []byte) error {
	return (&check{}).archive(bytes.NewReader(data), 0)
}

func (c *check) archive(compressed io.Reader, nesting int) error {
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

func (c *check) entry(header *tar.Header, content io.Reader, seen map[string]bool, nesting int) error {
	if c.entries++; c.entries > MaxEntries {
		return fmt.Errorf("the archive has more than %d entries", MaxEntries)
	}
	switch {
	case header.Typeflag == tar.TypeXGlobalHeader:
		return nil // contains only comments, such as a commit of git
	case header.Typeflag == tar.TypeDir:
		return checkName(header.Name)
	case header.Typeflag != tar.TypeReg || isSparse(header):
		return errors.New("is neither a regular file nor a directory: package the chart with `helm package`, without links")
	}
	if err := checkName(header.Name); err != nil {
		return err
	}
	name := nameInChart(header.Name)
	if seen[name] {
		return errors.New("is in the archive twice: package the chart again with `helm package`")
	}
	seen[name] = true
	return c.nested(name, content, nesting)
}

// nested checks an archive that Helm would load as a dependency.
func (c *check) nested(name string, content io.Reader, nesting int) error {
	depth := nesting + strings.Count("/"+name, "/charts/")
	if depth > MaxNesting {
		return fmt.Errorf("charts are nested more than %d deep", MaxNesting)
	}
	if !IsDependency(name) {
		return nil
	}
	return c.archive(content, depth)
}

// IsDependency says whether Helm loads a file with this name in a chart as a dependency.
func IsDependency(name string) bool { return dependencyArchive.MatchString(name) }

var dependencyArchive = regexp.MustCompile(`^(charts/[^/_.][^/]*/)*charts/[^/_.][^/]*\.tgz$`)

func isSparse(header *tar.Header) bool {
	for name := range header.PAXRecords {
		if strings.HasPrefix(name, "GNU.sparse.") {
			return true
		}
	}
	return false
}

var drive = regexp.MustCompile(`^[a-zA-Z]:`)

// checkName treats a backslash as a slash, as Helm does.
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
	if len(elements) > limits.PathElements {
		return fmt.Errorf("is nested more than %d directories deep", limits.PathElements)
	}
	return nil
}

// nameInChart is the name without the first directory. Helm also ignores the name of that directory.
func nameInChart(name string) string {
	_, rest, _ := strings.Cut(strings.ReplaceAll(name, `\`, "/"), "/")
	return path.Clean(rest)
}

func (c *check) counted(in io.Reader) io.Reader { return countedReader{c, in} }

// countedReader counts the decompressed bytes, with headers and padding.
type countedReader struct {
	c  *check
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
