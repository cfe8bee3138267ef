package states

import (
	"fmt"
	"os"

	"github.com/helmfile/helmfile/pkg/state"
)

// chartsOutside returns a message for each release whose chart is outside of the repository. helmfile copies some charts before the agent
// sees them.
func chartsOutside(st *state.HelmState, file string, checkPath func(path string) error) []string {
	var messages []string
	for _, spec := range st.Releases {
		if isRemote(spec.Chart) {
			continue
		}
		if _, err := os.Stat(spec.Chart); err != nil {
			continue // it is in a chart repository, or it does not exist
		}
		if err := checkPath(spec.Chart); err != nil {
			messages = append(messages, fmt.Sprintf("%s: release %s: chart: %v", file, spec.Name, err))
		}
	}
	return messages
}
