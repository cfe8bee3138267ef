package helmshim

import (
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// confinedFS lets kustomize read only the repository and the workspace. chartify always switches off kustomize's own restrictions.
type confinedFS struct {
	filesys.FileSystem
	roots sandbox.Roots
}

func (c confinedFS) ReadFile(path string) ([]byte, error) {
	if err := c.roots.Check(path); err != nil {
		return nil, err
	}
	return c.FileSystem.ReadFile(path)
}

func (c confinedFS) Open(path string) (filesys.File, error) {
	if err := c.roots.Check(path); err != nil {
		return nil, err
	}
	return c.FileSystem.Open(path)
}

func (c confinedFS) ReadDir(path string) ([]string, error) {
	if err := c.roots.Check(path); err != nil {
		return nil, err
	}
	return c.FileSystem.ReadDir(path)
}

func (c confinedFS) Walk(path string, visit filepath.WalkFunc) error {
	if err := c.roots.Check(path); err != nil {
		return err
	}
	return c.FileSystem.Walk(path, visit)
}

func (c confinedFS) Exists(path string) bool {
	return c.roots.Check(path) == nil && c.FileSystem.Exists(path)
}

func (c confinedFS) IsDir(path string) bool {
	return c.roots.Check(path) == nil && c.FileSystem.IsDir(path)
}

func (c confinedFS) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	if err := c.roots.Check(path); err != nil {
		return "", "", &fs.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
	}
	return c.FileSystem.CleanedAbs(path)
}
