package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Roots are the directories and files that the repository may use. An empty list allows all paths.
type Roots []string

// RootsVariable is the environment variable from which the children called helm and kustomize get the roots.
const RootsVariable = "HELMFILE_AGENT_ROOTS"

// RootsFromEnvironment reads the roots of this process.
func RootsFromEnvironment() Roots {
	return filepath.SplitList(os.Getenv(RootsVariable))
}

// String is the value of the environment variable.
func (r Roots) String() string { return strings.Join(r, string(os.PathListSeparator)) }

// Check refuses a path outside of the roots. It follows all symbolic links. If the path does not exist, it checks the directory that
// would contain it.
func (r Roots) Check(path string) error {
	if len(r) == 0 {
		return nil
	}
	real := resolve(path)
	for _, root := range r {
		if inside, err := filepath.Rel(resolve(root), real); err == nil && filepath.IsLocal(inside) {
			return nil
		}
	}
	return fmt.Errorf("%s is outside of the repository: a helmfile may name only files of its own repository; copy the file into it", path)
}

// resolve follows the symbolic links in the longest part of the path that exists.
func resolve(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	for rest := ""; ; {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Join(real, rest)
		}
		parent := filepath.Dir(path)
		if parent == path {
			return filepath.Join(path, rest)
		}
		path, rest = parent, filepath.Join(filepath.Base(path), rest)
	}
}
