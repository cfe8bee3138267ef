package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Roots are the directories and files that the repository may name paths in.
type Roots []string

// RootsVariable names the environment variable that tells the children called helm and kustomize.
const RootsVariable = "HELMFILE_AGENT_ROOTS"

// RootsFromEnvironment are those of this process; none mean that nothing is restricted.
func RootsFromEnvironment() Roots {
	return filepath.SplitList(os.Getenv(RootsVariable))
}

// String is the value of the environment variable.
func (r Roots) String() string { return strings.Join(r, string(os.PathListSeparator)) }

// Check refuses a path that lies outside, with all symbolic links followed. A path that does not exist is judged by the directory
// that it would be in.
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

// resolve follows the links of the longest part of a path that exists.
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
