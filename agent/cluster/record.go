package cluster

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
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

// reproduces says whether a rendered revision is exactly what the newest record holds. Values that were taken from that record
// prove nothing about it.
func (r *Reader) reproduces(want release.Desired, rendered *helm.Release) bool {
	last, ok := r.last(want.Key)
	return ok && !want.Options.ReuseValues && !want.Options.ResetThenReuseValues && DigestOf(last) == DigestOf(rendered)
}

// reproducesUntrusted renders a release whose record is not the remembered one although the inputs are the same. The release
// counts as declared even if that fails, so the failure is only logged.
func (r *Reader) reproducesUntrusted(ctx context.Context, want release.Desired) bool {
	if r.observed[want.Key].Trusted {
		return false
	}
	rendered, err := r.dryRun(ctx, want)
	if err != nil {
		r.c.Options.Log.Warn("a record that this agent did not write could not be compared with its chart", "release", want.Key.String(), "error", err)
		return false
	}
	return r.reproduces(want, rendered)
}

// noteRecord remembers the record that an operation made, also if the operation failed afterwards.
func (w *Writer) noteRecord(key release.Key, l *recordingDriver) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made != nil {
		w.records.Store(key, l.record)
	}
}

// NoteRecords adds the records that were made to the memory.
func (w *Writer) NoteRecords(memory *release.Memory) {
	w.records.Range(func(key, record any) bool {
		memory.Note(key.(release.Key), record.(release.Record))
		return true
	})
}
