package history

import (
	"testing"

	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func recorded(change func(*helm.Release)) *helm.Release {
	r := &helm.Release{
		Name: "web", Namespace: "shop", Version: 3, Manifest: "---\nkind: ConfigMap\n", Info: &helm.Info{Status: helm.StatusDeployed},
		Hooks: []*helm.Hook{{Name: "bye", Kind: "Job", Manifest: "kind: Job", Events: []helm.HookEvent{helm.HookPreDelete}}},
	}
	if change != nil {
		change(r)
	}
	return r
}

// TestADigestSeesWhatTheAgentWouldDo: all that makes the agent write counts, and nothing that Helm notes by itself.
func TestADigestSeesWhatTheAgentWouldDo(t *testing.T) {
	plain := DigestOf(recorded(nil))
	for name, test := range map[string]struct {
		change func(*helm.Release)
		same   bool
	}{
		"another object":    {func(r *helm.Release) { r.Manifest += "---\nkind: Secret\n" }, false},
		"another hook":      {func(r *helm.Release) { r.Hooks = append(r.Hooks, &helm.Hook{Name: "evil"}) }, false},
		"a hook's manifest": {func(r *helm.Release) { r.Hooks[0].Manifest += "\nspec: {}" }, false},
		"a hook's time":     {func(r *helm.Release) { r.Hooks[0].Events[0] = helm.HookPostUpgrade }, false},
		"a hook's end":      {func(r *helm.Release) { r.Hooks[0].DeletePolicies = []helm.HookDeletePolicy{helm.HookFailed} }, false},
		"the default of a hook's end": {func(r *helm.Release) {
			r.Hooks[0].DeletePolicies = []helm.HookDeletePolicy{helm.HookBeforeHookCreation}
		}, true},
		"the last run of a hook": {func(r *helm.Release) { r.Hooks[0].LastRun.Phase = helm.HookPhaseSucceeded }, true},
		"the status":             {func(r *helm.Release) { r.Info.Status = helm.StatusFailed }, true},
	} {
		if same := DigestOf(recorded(test.change)) == plain; same != test.same {
			t.Errorf("%s: the same digest: %t", name, same)
		}
	}
}

func TestARecordIsTrustedIfItIsTheRememberedOne(t *testing.T) {
	digest := DigestOf(recorded(nil))
	for name, test := range map[string]struct {
		remembered map[string]release.Record
		change     func(*helm.Release)
		want       bool
	}{
		"remembered":            {map[string]release.Record{"shop/web": {Revision: 3, Digest: digest}}, nil, true},
		"changed since":         {map[string]release.Record{"shop/web": {Revision: 3, Digest: digest}}, func(r *helm.Release) { r.Manifest = "" }, false},
		"a newer revision":      {map[string]release.Record{"shop/web": {Revision: 2, Digest: digest}}, nil, false},
		"another release's":     {map[string]release.Record{"shop/db": {Revision: 3, Digest: digest}}, nil, false},
		"nothing is remembered": {nil, nil, false},
	} {
		h := New(&kube.Connection{})
		h.Trust(release.InstanceState{Records: test.remembered})
		got, err := h.observe(release.Key{Namespace: "shop", Name: "web"}, recorded(test.change))
		if err != nil || got.Trusted != test.want {
			t.Errorf("%s: trusted: %t, %v", name, got.Trusted, err)
		}
	}
}
