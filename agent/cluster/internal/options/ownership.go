package options

import (
	"maps"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// removed is the value by which Helm removes a label of an earlier revision.
const removed = "null"

// WithOwner adds the labels of ownership to those that the helmfile asks for.
func WithOwner(want release.Desired, owner release.Owner) release.Desired {
	labels := maps.Clone(want.Options.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	// With syncReleaseLabels helmfile passes these labels on too. The agent's values replace them.
	for name, value := range history.OwnerLabels(owner) {
		labels[name] = removed
		if value != nil {
			labels[name] = *value
		}
	}
	want.Options.Labels = labels
	return want
}
