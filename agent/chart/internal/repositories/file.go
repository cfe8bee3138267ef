package repositories

import (
	"errors"
	"fmt"
	"os"

	"helm.sh/helm/v3/pkg/repo"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// repositoryFile is Helm's repositories.yaml with two more fields. Helm ignores them, because it stores registries in another file.
type repositoryFile struct {
	APIVersion   string            `json:"apiVersion"`
	Repositories []repositoryEntry `json:"repositories"`
}

type repositoryEntry struct {
	repo.Entry
	OCI       bool `json:"oci,omitempty"`
	PlainHTTP bool `json:"plain_http,omitempty"`
}

// Write writes repositories and their credentials to a file.
func Write(file string, repositories []release.Repository) error {
	content := repositoryFile{APIVersion: repo.APIVersionV1}
	for _, r := range repositories {
		content.Repositories = append(content.Repositories,
			repositoryEntry{Entry: EntryOf(r), OCI: r.OCI, PlainHTTP: r.PlainHTTP})
	}
	data, err := yaml.Marshal(content)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write repositories: %w", err)
	}
	return nil
}

// Read reads a file of [Write] or of Helm. A file that does not exist has no repositories.
func Read(file string) ([]release.Repository, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var content repositoryFile
	if err == nil {
		err = yaml.Unmarshal(data, &content)
	}
	if err != nil {
		return nil, fmt.Errorf("read repositories: %w", err)
	}
	var repositories []release.Repository
	for _, e := range content.Repositories {
		repositories = append(repositories, release.Repository{
			Name: e.Name, URL: e.URL, OCI: e.OCI, PlainHTTP: e.PlainHTTP,
			Username: e.Username, Password: e.Password, PassCredentials: e.PassCredentialsAll,
			CAFile: e.CAFile, CertFile: e.CertFile, KeyFile: e.KeyFile,
			InsecureSkipTLSVerify: e.InsecureSkipTLSverify,
		})
	}
	return repositories, nil
}

// EntryOf is the entry of a repository in Helm's files.
func EntryOf(r release.Repository) repo.Entry {
	at := r.URL
	if r.OCI {
		at = OCIURL(r)
	}
	return repo.Entry{
		Name: r.Name, URL: at,
		Username: r.Username, Password: r.Password, PassCredentialsAll: r.PassCredentials,
		CAFile: r.CAFile, CertFile: r.CertFile, KeyFile: r.KeyFile,
		InsecureSkipTLSverify: r.InsecureSkipTLSVerify,
	}
}
