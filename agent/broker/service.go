package broker

import (
	"context"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// Service is what the agent does for its confined children. Errors carry the exit code that they deserve.
type Service interface {
	// Decrypt is the plaintext of a file that sops has encrypted.
	Decrypt(ctx context.Context, file Encrypted) ([]byte, error)
	// Register makes repositories known, with their credentials, to every later download.
	Register(repositories []release.Repository) error
	// Pull downloads and unpacks a chart, and answers with its directory, which the client copies.
	Pull(ctx context.Context, c release.Chart) (dir string, err error)
	// BuildDependencies answers with a copy of a chart directory that has its dependencies; the client copies them back.
	BuildDependencies(ctx context.Context, want Dependencies) (built string, err error)
}

// Encrypted is a file as it is in the repository. Name is for messages; Format is the word of sops for it, empty to go by the name.
type Encrypted struct {
	Name    string `json:"name"`
	Format  string `json:"format,omitempty"`
	Content []byte `json:"content"`
}

// Dependencies asks for those of the chart in Dir, resolved anew with Update.
type Dependencies struct {
	Dir    string `json:"dir"`
	Update bool   `json:"update,omitempty"`
}

// Where each request goes. Kubernetes is the root of a read-only proxy of the API server.
const (
	decryptPath    = "/decrypt"
	registerPath   = "/repositories"
	pullPath       = "/pull"
	buildPath      = "/dependencies"
	kubernetesPath = "/kubernetes"
)

// answer is what the agent says: data, a directory, or why not.
type answer struct {
	Plain  []byte `json:"plain,omitempty"`
	Dir    string `json:"dir,omitempty"`
	Failed bool   `json:"failed,omitempty"`
	Reason string `json:"reason,omitempty"`
	Code   int    `json:"code,omitempty"`
}

// maxMessage bounds one request and one answer: a file of 16 MiB, encoded.
const maxMessage = 24 << 20
