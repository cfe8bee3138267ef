package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"sigs.k8s.io/yaml"
)

// File is an archive as a repository or a registry sent it.
type File struct {
	Name       string // the file name, which a provenance file contains
	Data       []byte
	Provenance []byte
}

// Expected is what an archive must contain. An empty field allows everything.
type Expected struct {
	Name    string // the name in Chart.yaml
	Version string // the version in Chart.yaml, or a constraint
	Digest  string // sha256 of the archive, as in the index of the repository
}

// Check refuses an archive that is not what the index or the reference says, or that is not safe to unpack.
func (e Expected) Check(data []byte) error {
	if sum := sha256.Sum256(data); e.Digest != "" && !strings.EqualFold(strings.TrimPrefix(e.Digest, "sha256:"), hex.EncodeToString(sum[:])) {
		return fmt.Errorf("the archive has the sha256 digest %x, but the index says %s: it was replaced, or the index is out of date", sum, e.Digest)
	}
	if err := Check(data); err != nil {
		return fmt.Errorf("read chart archive: %w", err)
	}
	if e.Name == "" && e.Version == "" {
		return nil
	}
	found, err := metadataOf(data)
	if err != nil {
		return fmt.Errorf("read chart archive: %w", err)
	}
	if e.Name != "" && found.Name != e.Name || e.Version != "" && !VersionMatches(found.Version, e.Version) {
		return fmt.Errorf("the archive contains chart %q version %q instead of %s", found.Name, found.Version,
			strings.TrimSpace(e.Name+" "+e.Version))
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
			err := yaml.Unmarshal(file.Data, &found)
			return found, err
		}
	}
	return helmchart.Metadata{}, errors.New("Chart.yaml file is missing")
}

// VersionMatches checks a version against a constraint, or against a text that is not a constraint.
func VersionMatches(version, constraint string) bool {
	want, err := semver.NewConstraint(constraint)
	if err != nil {
		return version == constraint
	}
	have, err := semver.NewVersion(version)
	return err == nil && want.Check(have)
}
