package broker

import (
	"context"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Service does the actions that confined processes request. Its errors have exit codes.
type Service interface {
	// Decrypt decrypts a file that sops has encrypted.
	Decrypt(ctx context.Context, file EncryptedFile) ([]byte, error)
	// Register adds repositories with their credentials for all later downloads.
	Register(repositories []release.Repository) error
	// Pull downloads and unpacks a chart, and returns its directory. The client copies it.
	Pull(ctx context.Context, c release.Chart) (dir string, err error)
	// BuildDependencies returns a copy of a chart directory with its dependencies. The client copies them back.
	BuildDependencies(ctx context.Context, want Dependencies) (dir string, err error)
}

// EncryptedFile is an encrypted file of the repository. Name is for messages. Format is the name of a format of sops. Without it, sops takes
// the format from Name.
type EncryptedFile struct {
	Name    string `json:"name"`
	Format  string `json:"format,omitempty"`
	Content []byte `json:"content"`
}

// Dependencies says which chart directory needs its dependencies. With Update they are resolved again.
type Dependencies struct {
	Dir    string `json:"dir"`
	Update bool   `json:"update,omitempty"`
}

// The paths of the requests. kubernetesPath is the root of a read-only proxy of the API server.
const (
	decryptPath    = "/decrypt"
	registerPath   = "/repositories"
	pullPath       = "/pull"
	buildPath      = "/dependencies"
	kubernetesPath = "/kubernetes"
)

// answer is the answer of the agent: data, a directory, or the reason of a failure.
type answer struct {
	Plain  []byte `json:"plain,omitempty"`
	Dir    string `json:"dir,omitempty"`
	Failed bool   `json:"failed,omitempty"`
	Reason string `json:"reason,omitempty"`
	Code   int    `json:"code,omitempty"`
}

// maxMessage is the limit of one request and of one answer: an encoded file of 16 MiB.
const maxMessage = 24 << 20
