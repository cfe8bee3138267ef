package history

import (
	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// OwnerOf reads from a record's labels which instance owns the release.
func OwnerOf(revision *helm.Release) release.Owner {
	return release.Owner{
		Instance: revision.Labels[release.InstanceLabel],
		Origin:   revision.Labels[release.OriginLabel],
		Keep:     revision.Labels[release.PruneLabel] == release.KeepValue,
		DriftOff: release.DriftMode(revision.Labels[release.DriftLabel]) == release.IgnoreDrift,

		Fingerprint: revision.Labels[release.FingerprintLabel],
	}
}

// OwnerLabels maps each of the agent's labels to its value, or to nil when it should not be there.
func OwnerLabels(owner release.Owner) map[string]*string {
	labels := map[string]*string{
		release.InstanceLabel:    &owner.Instance,
		release.OriginLabel:      &owner.Origin,
		release.PruneLabel:       nil,
		release.DriftLabel:       nil,
		release.FingerprintLabel: nil,
	}
	if owner.Keep {
		keep := release.KeepValue
		labels[release.PruneLabel] = &keep
	}
	if owner.DriftOff {
		off := string(release.IgnoreDrift)
		labels[release.DriftLabel] = &off
	}
	if owner.Fingerprint != "" {
		labels[release.FingerprintLabel] = &owner.Fingerprint
	}
	return labels
}
