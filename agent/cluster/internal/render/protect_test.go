package render

import (
	"maps"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestTheAgentsOwnObjectsAreProtected: in the world of the test the agent's release is agent/tenant, in its own namespace.
func TestTheAgentsOwnObjectsAreProtected(t *testing.T) {
	const state, taken = "keeps its memory or its lock in", "is the agent's own"
	for name, test := range map[string]struct {
		object release.ObjectKey
		of     string // the release, in the agent's namespace
		chart  string
		take   bool
		says   string
	}{
		"the memory":                            {release.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Name: "tenant-memory"}, "web", "web", false, state},
		"the memory, by the agent's own chart":  {release.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Name: "tenant-memory"}, "tenant", agentChart, false, state},
		"the lock":                              {release.ObjectKey{APIVersion: "coordination.k8s.io/v1", Kind: "Lease", Name: "tenant"}, "web", "web", false, state},
		"a namesake elsewhere":                  {release.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Namespace: "other", Name: "tenant-memory"}, "web", "web", false, ""},
		"a namesake of another kind":            {release.ObjectKey{APIVersion: "v1", Kind: "Service", Name: "tenant"}, "web", "web", true, ""},
		"the CronJob":                           {release.ObjectKey{APIVersion: "batch/v1", Kind: "CronJob", Name: "tenant"}, "web", "web", true, taken},
		"the CronJob, which Helm refuses":       {release.ObjectKey{APIVersion: "batch/v1", Kind: "CronJob", Name: "tenant"}, "web", "web", false, ""},
		"the CronJob, by the agent's own chart": {release.ObjectKey{APIVersion: "batch/v1", Kind: "CronJob", Name: "tenant"}, "tenant", agentChart, true, ""},
		"an object of the agent's release":      {release.ObjectKey{APIVersion: "v1", Kind: "Secret", Name: "extra"}, "web", "web", true, taken},
		"an object of another release":          {release.ObjectKey{APIVersion: "v1", Kind: "Secret", Name: "theirs"}, "web", "web", true, ""},
	} {
		observed := map[release.Key]release.Observed{}
		for _, found := range []release.Observed{
			{Key: release.Key{Namespace: "agent", Name: "tenant"}, Chart: release.ChartVersion{Name: agentChart},
				Manifest: release.Manifest{{ObjectKey: release.ObjectKey{APIVersion: "v1", Kind: "Secret", Name: "extra"}}}},
			{Key: release.Key{Namespace: "agent", Name: "db"}, Chart: release.ChartVersion{Name: "db"},
				Manifest: release.Manifest{{ObjectKey: release.ObjectKey{APIVersion: "v1", Kind: "Secret", Name: "theirs"}}}},
		} {
			observed[found.Key] = found
		}
		want := release.Desired{Key: release.Key{Namespace: "agent", Name: test.of}, Options: release.Options{TakeOwnership: test.take}}
		err := agentObjects{"agent", "tenant", "tenant-memory", "tenant", maps.All(observed)}.refuse(want, release.ChartVersion{Name: test.chart}, release.Manifest{{ObjectKey: test.object}})
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
