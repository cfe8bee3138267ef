package history

import (
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// TestTheAgentsOwnObjectsAreProtected: the agent's release is agent/tenant, in the agent's own namespace.
func TestTheAgentsOwnObjectsAreProtected(t *testing.T) {
	const state, taken, keys, upgrade = "keeps its state or its lock in", "is the agent's own: no release", "holds keys of the agent", "set selfUpgrade"
	object := func(version, kind, name string) release.ObjectKey {
		return release.ObjectKey{APIVersion: version, Kind: kind, Name: name}
	}
	elsewhere := object("v1", "ConfigMap", "tenant-state")
	elsewhere.Namespace = "other"
	for name, test := range map[string]struct {
		object  release.ObjectKey
		of      string // the release, in the agent's namespace
		self    bool   // selfUpgrade
		message string // empty: not protected
	}{
		"the state":                                 {object("v1", "ConfigMap", "tenant-state"), "web", false, state},
		"the state, by the agent's own release":     {object("v1", "ConfigMap", "tenant-state"), "tenant", true, state},
		"the lock":                                  {object("coordination.k8s.io/v1", "Lease", "tenant"), "web", true, state},
		"the lock in another version":               {object("coordination.k8s.io/v1beta1", "Lease", "tenant"), "web", false, state},
		"an object of that name elsewhere":          {elsewhere, "web", false, ""},
		"an object of that name of another kind":    {object("v1", "Service", "tenant"), "web", false, ""},
		"the CronJob":                               {object("batch/v1", "CronJob", "tenant"), "web", false, taken},
		"the CronJob, with selfUpgrade":             {object("batch/v1", "CronJob", "tenant"), "web", true, taken},
		"the CronJob, by the agent's release":       {object("batch/v1", "CronJob", "tenant"), "tenant", false, upgrade},
		"the CronJob, upgraded with selfUpgrade":    {object("batch/v1", "CronJob", "tenant"), "tenant", true, ""},
		"keys":                                      {object("v1", "Secret", "keys"), "web", false, keys},
		"an object of the agent's release":          {object("v1", "Secret", "extra"), "web", false, taken},
		"an object of the agent's release, renamed": {object("v1", "Secret", "extra2"), "web", false, ""},
		"an object of another release":              {object("v1", "Secret", "theirs"), "web", false, ""},
		"an object of another agent in it":          {object("v1", "Service", "other"), "web", false, taken},
		"an object of another agent, by its chart":  {object("v1", "Service", "other"), "agent-two", false, ""},
	} {
		h := New(&kube.Connection{Namespace: "agent", Options: kube.Options{
			Instance: "tenant", AgentRelease: "tenant", SelfUpgrade: test.self, OwnSecrets: []string{"keys"},
		}})
		for _, found := range []struct{ release, chart, kind, object string }{
			{"tenant", "renamed", "Secret", "extra"}, {"db", "db", "Secret", "theirs"}, {"agent-two", agentChart, "Service", "other"},
		} {
			key := release.Key{Namespace: "agent", Name: found.release}
			h.observed[key] = release.Observed{Key: key, Chart: release.ChartVersion{Name: found.chart},
				Manifest: release.Manifest{{ObjectKey: object("v1", found.kind, found.object)}}}
		}
		err := h.Protected(release.Key{Namespace: "agent", Name: test.of}, test.object)
		if (err == nil) != (test.message == "") || err != nil && !strings.Contains(err.Error(), test.message) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
