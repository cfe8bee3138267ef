package chart

import (
	"github.com/helmfile-agent/helmfile-agent/agent/chart/internal/repositories"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// WriteRepositories writes the repositories and their credentials to a file for child processes called helm. The children find the file
// in HELM_REPOSITORY_CONFIG.
func WriteRepositories(file string, list []release.Repository) error {
	return repositories.Write(file, list)
}

// ReadRepositories reads a file of [WriteRepositories] or of Helm. A file that does not exist has no repositories.
func ReadRepositories(file string) ([]release.Repository, error) { return repositories.Read(file) }
