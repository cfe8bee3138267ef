package desired

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader"
)

// Loader is a started child process that waits for what to load.
type Loader struct {
	*child.Process
	workspace string
}

// Start starts the loader, so that it is ready when the checkout is. The workspace is a directory of the run; variables are the names
// of those environment variables of the agent that the helmfile may read.
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

// prepare returns the workspace's path without symbolic links, because the rules of the kernel and of the roots are about real paths.
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

// show logs the standard error of the process, after the mask knows all secrets that the process sent. If the mask is full, it logs
// nothing.
func (l *Loader) show(req Request) {
	if req.Mask.Err() != nil {
		return
	}
	if text := l.Stderr(); text != "" {
		req.Log.Debug("loader", "stderr", text)
	}
}
