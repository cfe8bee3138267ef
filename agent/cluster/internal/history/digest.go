package history

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	helm "helm.sh/helm/v3/pkg/release"
)

// DigestOf is of everything in a revision's record that makes the agent create, patch or delete objects: the manifest, the hooks, and
// the values, which the next revision may reuse.
func DigestOf(revision *helm.Release) string {
	if slices.Contains(revision.Hooks, nil) {
		return "" // Helm never writes a null hook, so such a record is never trusted
	}
	content := struct {
		Manifest string
		Hooks    []storedHook
		Chart    string         `json:",omitempty"`
		Defaults map[string]any `json:",omitempty"`
		Values   map[string]any `json:",omitempty"`
	}{Manifest: revision.Manifest, Hooks: storedHooks(revision.Hooks), Values: revision.Config}
	if c := revision.Chart; c != nil {
		content.Chart, content.Defaults = c.Name(), c.Values
	}
	encoded, err := json.Marshal(content)
	if err != nil {
		return "" // a record that cannot be encoded is never trusted
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:])
}

// storedHook is a hook without what Helm writes to it when it runs.
type storedHook struct {
	Name, Kind, Manifest string
	Weight               int
	Events               []helm.HookEvent
	DeletePolicies       []helm.HookDeletePolicy
}

func storedHooks(hooks []*helm.Hook) []storedHook {
	all := make([]storedHook, len(hooks))
	for i, hook := range hooks {
		all[i] = storedHook{hook.Name, hook.Kind, hook.Manifest, hook.Weight, append([]helm.HookEvent{}, hook.Events...), hook.DeletePolicies}
		if len(hook.DeletePolicies) == 0 { // Helm sets this default when it runs the hook, and stores it then
			all[i].DeletePolicies = []helm.HookDeletePolicy{helm.HookBeforeHookCreation}
		}
	}
	slices.SortStableFunc(all, func(a, b storedHook) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind)) })
	return all
}
