package cluster

import (
	"testing"

	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"

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
		r := newReader(&Connection{})
		r.written = test.remembered
		got, err := r.observe(release.Key{Namespace: "shop", Name: "web"}, recorded(test.change))
		if err != nil || got.Trusted != test.want {
			t.Errorf("%s: trusted: %t, %v", name, got.Trusted, err)
		}
	}
}

func TestARenderingProvesARecordIfItIsTheSame(t *testing.T) {
	key := release.Key{Namespace: "shop", Name: "web"}
	for name, test := range map[string]struct {
		options release.Options
		change  func(*helm.Release)
		want    bool
	}{
		"the same":                       {release.Options{}, nil, true},
		"another":                        {release.Options{}, func(r *helm.Release) { r.Manifest += "---\nkind: Secret\n" }, false},
		"the same, of its own values":    {release.Options{ReuseValues: true}, nil, false},
		"the same, of its values, reset": {release.Options{ResetThenReuseValues: true}, nil, false},
	} {
		r := newReader(&Connection{})
		r.records[key] = []*helm.Release{recorded(test.change)}
		if got := r.reproduces(release.Desired{Key: key, Options: test.options}, recorded(nil)); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if newReader(&Connection{}).reproduces(release.Desired{Key: key}, recorded(nil)) {
		t.Error("a rendering proves a record that is not there")
	}
}

func TestAWriterNotesTheNewestRecordThatItMade(t *testing.T) {
	memory := driver.NewMemory()
	memory.SetNamespace("shop")
	l := &recordingDriver{Driver: memory, mask: func(text string) string { return text }}
	revision := recorded(nil)
	if err := l.Create("sh.helm.release.v1.web.v3", revision); err != nil {
		t.Fatal(err)
	}
	w := &Writer{}
	w.noteRecord(release.Key{Namespace: "shop", Name: "web"}, l)
	w.noteRecord(release.Key{Namespace: "shop", Name: "db"}, &recordingDriver{})
	var remembered release.Memory
	w.NoteRecords(&remembered)
	if got := remembered.Records["shop/web"]; len(remembered.Records) != 1 || got != (release.Record{Revision: 3, Digest: DigestOf(revision)}) {
		t.Errorf("%+v", remembered.Records)
	}
}

func TestAnObjectBelongsToOneRelease(t *testing.T) {
	key := release.Key{Namespace: "shop", Name: "web"}
	for name, test := range map[string]struct {
		annotations map[string]string
		want        bool
	}{
		"its own":               {map[string]string{nameAnnotation: "web", namespaceAnnotation: "shop"}, true},
		"another release's":     {map[string]string{nameAnnotation: "db", namespaceAnnotation: "shop"}, false},
		"another namespace's":   {map[string]string{nameAnnotation: "web", namespaceAnnotation: "data"}, false},
		"without a namespace":   {map[string]string{nameAnnotation: "web"}, false},
		"without an annotation": {nil, false},
	} {
		if got := BelongsTo(test.annotations, key); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
