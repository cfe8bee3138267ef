package dependencies

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"

	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/archive"
)

const localScheme = "file://"

// satisfied says whether charts/ has every dependency in a version that the lock file or the constraint permits. The copy of a local chart
// must be equal to that chart.
func (b *Builder) satisfied(c *helmchart.Chart, dir string) bool {
	for _, want := range c.Metadata.Dependencies {
		found := dependency(c, want)
		if found == nil {
			return false
		}
		if strings.HasPrefix(want.Repository, localScheme) && !b.copyOf(found, localPath(want.Repository, dir)) {
			return false
		}
	}
	return true
}

func dependency(c *helmchart.Chart, want *helmchart.Dependency) *helmchart.Chart {
	for _, have := range c.Dependencies() {
		if have.Name() == want.Name && archive.VersionMatches(have.Metadata.Version, want.Version) && matchesLock(c.Lock, have, want) {
			return have
		}
	}
	return nil
}

// matchesLock is true without a lock file. If the lock file does not have the dependency, it is out of sync: then no chart matches, and the
// build returns the error.
func matchesLock(lock *helmchart.Lock, have *helmchart.Chart, want *helmchart.Dependency) bool {
	if lock == nil {
		return true
	}
	for _, locked := range lock.Dependencies {
		if locked != nil && locked.Name == want.Name && archive.VersionMatches(have.Metadata.Version, "="+locked.Version) {
			return true
		}
	}
	return false
}

func localPath(repository, dir string) string {
	path := strings.TrimPrefix(repository, localScheme)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func (b *Builder) copyOf(have *helmchart.Chart, dir string) bool {
	origin, err := b.files.LoadDirectory(dir)
	return err == nil && sameChart(have, origin)
}

// sameChart compares the files that Helm uses to render. It compares the fields of Chart.yaml, because packaging writes that file again.
func sameChart(a, b *helmchart.Chart) bool {
	if !sameJSON(a.Metadata, b.Metadata) || len(a.Dependencies()) != len(b.Dependencies()) {
		return false
	}
	if !sameFiles(a, b) {
		return false
	}
	byName := map[string]*helmchart.Chart{}
	for _, d := range b.Dependencies() {
		byName[d.Name()+" "+d.Metadata.Version] = d
	}
	for _, d := range a.Dependencies() {
		other := byName[d.Name()+" "+d.Metadata.Version]
		if other == nil || !sameChart(d, other) {
			return false
		}
	}
	return true
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func sameFiles(a, b *helmchart.Chart) bool {
	x, y := contents(a), contents(b)
	if len(x) != len(y) {
		return false
	}
	for name, data := range x {
		if other, ok := y[name]; !ok || !bytes.Equal(data, other) {
			return false
		}
	}
	return true
}

// contents returns the files of a chart without those that packaging writes again, and without subcharts, which are compared as charts.
func contents(c *helmchart.Chart) map[string][]byte {
	files := map[string][]byte{}
	for _, f := range c.Raw {
		switch f.Name {
		case "Chart.yaml", "Chart.lock", "requirements.yaml", "requirements.lock":
			continue
		}
		if !strings.HasPrefix(f.Name, "charts/") {
			files[f.Name] = f.Data
		}
	}
	return files
}
