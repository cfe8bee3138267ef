package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// BinaryVariable names the environment variable with the path of the controlplane binary.
const BinaryVariable = "HELMFILE_AGENT_CONTROLPLANE"

const repositoryModule = "module github.com/helmfile-agent/helmfile-agent\n"

// FindBinary returns the path of the controlplane binary: the value of BinaryVariable, or the repository's bin directory. It never builds
// the binary, because that would take minutes of a test's time.
func FindBinary() (string, error) {
	path := os.Getenv(BinaryVariable)
	if path == "" {
		root, err := repositoryRoot()
		if err != nil {
			return "", err
		}
		path = filepath.Join(root, "bin", "controlplane")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("find the control plane (build it with `make bin/controlplane`, or name it in %s): %w",
			BinaryVariable, err)
	}
	return path, nil
}

func binaryOr(path string) (string, error) {
	if path != "" {
		return path, nil
	}
	return FindBinary()
}

// repositoryRoot searches upwards from the working directory, which is the package's directory in a test.
func repositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte(repositoryModule)) {
			return dir, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find the repository: %w", err)
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("find the repository: the working directory is not in a checkout of helmfile-agent")
		}
	}
}
