package options

import (
	"maps"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// removed is the value that makes Helm remove a label of the previous revision.
const removed = "null"

// WithOwner adds the labels of the owner to the labels in the helmfile.
func WithOwner(want release.Desired, owner release.Owner) release.Desired {
	labels := maps.Clone(want.Options.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	// With syncReleaseLabels, the helmfile may contain the same labels. The agent's values replace them.
	for name, value := range history.OwnerLabels(owner) {
		labels[name] = removed
		if value != nil {
			labels[name] = *value
		}
	}
	want.Options.Labels = labels
	return want
}
