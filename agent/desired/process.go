package desired

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader"
)

// Loader is a child process that waits for its input.
type Loader struct {
	*child.Process
	workspace string
}

// Start starts the loader, so that it is ready when the checkout is complete. The workspace is a directory of the run. The variables are
// the environment variables of the agent that the helmfile may read.
func Start(workspace string, variables []string) (*Loader, error) {
	workspace, err := prepare(filepath.Join(workspace, "loader"))
	if err != nil {
		return nil, fmt.Errorf("prepare the loader's workspace: %w", err)
	}
	process, err := child.Start(loader.Name, workspace, child.Environment(loader.Environment(workspace), variables...))
	if err != nil {
		return nil, fmt.Errorf("start the loader: %w", err)
	}
	return &Loader{Process: process, workspace: workspace}, nil
}

// prepare creates the workspace. It returns the path without symbolic links, because the sandbox needs real paths.
func prepare(workspace string) (string, error) {
	if err := os.MkdirAll(workspace, 0o700); err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(workspace)
	if err != nil {
		return "", err
	}
	return real, loader.Prepare(real)
}

// logStderr logs the standard error of the process. The mask knows all secrets by then. If the mask is full, it logs nothing.
func (l *Loader) logStderr(req Request) {
	if req.Mask.Err() != nil {
		return
	}
	if text := l.Stderr(); text != "" {
		req.Log.Debug("loader", "stderr", text)
	}
}
