package options

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestLabelsOfOwnership(t *testing.T) {
	owner := release.Owner{Instance: "agent", Origin: "repo"}
	type labels = map[string]string
	for name, test := range map[string]struct {
		given labels
		owner release.Owner
		want  labels
	}{
		"are added, and stale ones removed": {
			owner: owner,
			want:  labels{release.InstanceLabel: "agent", release.OriginLabel: "repo", release.PruneLabel: "null", release.DriftLabel: "null", release.FingerprintLabel: "null"},
		},
		"say that the release is kept, with its drift": {
			owner: release.Owner{Instance: "agent", Origin: "repo", Keep: true, DriftOff: true, Fingerprint: "1f"},
			want:  labels{release.InstanceLabel: "agent", release.OriginLabel: "repo", release.PruneLabel: "keep", release.DriftLabel: "off", release.FingerprintLabel: "1f"},
		},
		"stand beside the labels of the helmfile": {
			given: labels{"team": "shop"},
			owner: owner,
			want:  labels{"team": "shop", release.InstanceLabel: "agent", release.OriginLabel: "repo", release.PruneLabel: "null", release.DriftLabel: "null", release.FingerprintLabel: "null"},
		},
		"replace those of the helmfile": {
			given: labels{release.InstanceLabel: "another", release.PruneLabel: "keep"},
			owner: owner,
			want:  labels{release.InstanceLabel: "agent", release.OriginLabel: "repo", release.PruneLabel: "null", release.DriftLabel: "null", release.FingerprintLabel: "null"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := release.Desired{Options: release.Options{Labels: test.given}}
			before := len(test.given)
			got := WithOwner(want, test.owner).Options.Labels
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("labels (-want +got):\n%s", diff)
			}
			if len(test.given) != before || want.Options.Labels[release.OriginLabel] != "" {
				t.Errorf("the labels of the helmfile were changed: %v", test.given)
			}
		})
	}
}
