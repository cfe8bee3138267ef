package servers

import (
	"fmt"
	"io"
	"log"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
)

// GitHTTP serves every repository below a root over smart HTTP, for reading.
type GitHTTP struct {
	*HTTP
}

// NewGitHTTP serves with git's own http-backend.
func NewGitHTTP(root string, opts Options) (*GitHTTP, error) {
	binary, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("serve git over HTTP: %w", err)
	}
	root, err = filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("serve git over HTTP: %w", err)
	}
	server, err := newHTTP(opts, backend(binary, root))
	if err != nil {
		return nil, fmt.Errorf("serve git over HTTP: %w", err)
	}
	return &GitHTTP{server}, nil
}

// RepoURL returns the URL of a repository. The name is the argument of NewRepo.
func (s *GitHTTP) RepoURL(name string) string {
	return s.URL + "/" + name
}

func backend(git, root string) *cgi.Handler {
	return &cgi.Handler{
		Path: git,
		Args: []string{"http-backend"},
		Dir:  root,
		Env: append(gitEnvironment(),
			"GIT_PROJECT_ROOT="+root,
			"GIT_HTTP_EXPORT_ALL=1",
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.receivepack", "GIT_CONFIG_VALUE_0=false",
		),
		// Ignore git's errors about clients that closed the connection.
		Logger: log.New(io.Discard, "", 0),
		Stderr: io.Discard,
	}
}
