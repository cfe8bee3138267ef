package loader

import (
	"fmt"
	"os"
	"strings"

	"github.com/helmfile/helmfile/pkg/state"
)

// refuseSetFiles is the error for --set-file name=path where the path is outside of the repository.
func (r request) refuseSetFiles(flags []string) error {
	for _, flag := range flags {
		_, path, _ := strings.Cut(flag, "=")
		if err := r.roots.Check(path); err != nil {
			return err
		}
	}
	return nil
}

// outside lists the releases whose chart lies outside of the repository: helmfile copies some charts before the agent sees them.
func (l *loader) outside(st *state.HelmState, file string) []string {
	var refused []string
	for _, spec := range st.Releases {
		if remote(spec.Chart) {
			continue
		}
		if _, err := os.Stat(spec.Chart); err != nil {
			continue // a chart of a repository, or one that is not there
		}
		if err := l.req.roots.Check(spec.Chart); err != nil {
			refused = append(refused, fmt.Sprintf("%s: release %s: chart: %v", file, spec.Name, err))
		}
	}
	return refused
}
