package release

import "fmt"

// ServerSideRefusal is why a release is left to Helm 4, and what to do.
func ServerSideRefusal(revision int) string {
	return fmt.Sprintf("Helm 4 applied revision %d server-side (apply_method: ssa in its record), and this agent, like Helm 3, applies client-side "+
		"and would drop that mark: go on with Helm 4, or have the agent take the release over with the label %s: \"true\" in the helmfile "+
		"or with --adopt-server-side", revision, AdoptServerSideLabel)
}
