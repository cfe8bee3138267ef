package states

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/helmfile/helmfile/pkg/app"
)

// skippedFiles returns the state files that helmfile did not visit, each with the reason. helmfile silently skips a file that does not
// define the environment. With selectors it also skips files that cannot match, so the result is empty then.
func (v *visitor) skippedFiles() []string {
	if len(v.req.Selectors) > 0 {
		return nil
	}
	expected := slices.Concat(v.topLevel(), v.nested)
	slices.Sort(expected)
	var skipped []string
	for _, file := range slices.Compact(expected) {
		if !v.visited[file] {
			skipped = append(skipped, fmt.Sprintf("%s does not define the environment %q", file, v.req.Environment))
		}
	}
	return append(skipped, v.missing...)
}

// nothingVisited explains why helmfile visited no state file.
func (v *visitor) nothingVisited() error {
	if len(v.topLevel()) == 0 && v.req.Path != "" {
		return fmt.Errorf("no helmfile found: %s has no file whose name ends in .yaml, .yml or .gotmpl", v.req.Path)
	}
	return fmt.Errorf("the environment %q is not defined in any state file: correct the name, or add it under environments", v.req.Environment)
}

// noMatches begins helmfile's warning about an entry of `helmfiles:` that matches no file. missingFileHandler may allow that.
const noMatches = "no matches for path: "

// onLog gets each message of helmfile's log. Some facts are only there.
func (v *visitor) onLog(message string) {
	v.vals.SendSecrets()
	if path, found := strings.CutPrefix(message, noMatches); found {
		v.missing = append(v.missing, path+" does not exist")
	}
}

// topLevel returns the state files that helmfile begins with.
func (v *visitor) topLevel() []string {
	path := v.req.Path
	if path == "" {
		path = app.DefaultHelmfileDirectory
	}
	return v.stateFiles(filepath.Join(v.req.Dir, path))
}

// stateFiles returns the file with this path, or the state files in the directory with this path.
func (v *visitor) stateFiles(path string) []string {
	if isRemote(path) {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	if !info.IsDir() {
		return []string{v.relative(path)}
	}
	var files []string
	for _, pattern := range []string{"*.y*ml", "*.y*ml.gotmpl"} {
		matches, _ := filepath.Glob(filepath.Join(path, pattern)) // the error is for malformed patterns
		for _, match := range matches {
			files = append(files, v.relative(match))
		}
	}
	return files
}

// isRemote says whether helmfile downloads the path. Only helmfile knows where to.
func isRemote(path string) bool { return strings.Contains(path, "://") || strings.Contains(path, "::") }
