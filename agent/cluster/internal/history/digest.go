package history

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	helm "helm.sh/helm/v3/pkg/release"
)

// DigestOf is of everything in a revision's record that makes the agent create, patch or delete objects.
func DigestOf(revision *helm.Release) string {
	content := struct {
		Manifest string
		Hooks    []storedHook
	}{Manifest: revision.Manifest, Hooks: storedHooks(revision.Hooks)}
	encoded, err := json.Marshal(content)
	if err != nil {
		return "" // strings and numbers can always be encoded
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
