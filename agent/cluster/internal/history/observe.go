package history

import (
	"fmt"

	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func (h *History) observe(key release.Key, newest *helm.Release) (release.Observed, error) {
	manifest, err := ManifestOf(newest)
	if err != nil {
		return release.Observed{}, fmt.Errorf("read revision %d of release %s: %w", newest.Version, key, err)
	}
	observed := release.Observed{
		Key:      key,
		Revision: newest.Version,
		Chart:    ChartOf(newest),
		Values:   newest.Config,
		Manifest: manifest,
		Digest:   DigestOf(newest),
		Owner:    OwnerOf(newest),

		ServerSide: h.serverSide[key.Namespace+"/"+kube.RecordName(key, newest.Version)],
		KeptByHand: h.kept[key.Namespace+"/"+kube.RecordName(key, newest.Version)],
	}
	if newest.Info != nil {
		observed.Run, _ = RunOf(newest)
		observed.Operation = Interrupted(newest)
	}
	observed.LastDeployed = h.trusted.Deployed[key.String()]
	observed.Trusted = h.trusted.Records[key.String()] == release.Record{Revision: observed.Revision, Digest: observed.Digest}
	if newest.Info != nil {
		observed.Status = newest.Info.Status.String()
		observed.Updated = newest.Info.LastDeployed.Time
		observed.Uninstalling = newest.Info.Deleted.Time
	}
	return observed, nil
}

// ChartOf is the chart that a revision was made from; empty when the record does not say.
func ChartOf(revision *helm.Release) release.ChartVersion {
	if revision.Chart == nil || revision.Chart.Metadata == nil {
		return release.ChartVersion{}
	}
	m := revision.Chart.Metadata
	return release.ChartVersion{Name: m.Name, Version: m.Version, AppVersion: m.AppVersion}
}

// KeyOf names the release of a revision.
func KeyOf(revision *helm.Release) release.Key {
	return release.Key{Namespace: revision.Namespace, Name: revision.Name}
}

// IsUnfinished says that a Helm client is at work on the revision, or died at work. Uninstalling and unknown count as unfinished.
func IsUnfinished(status helm.Status) bool {
	return status.IsPending() || status == helm.StatusUninstalling || status == helm.StatusUnknown
}
