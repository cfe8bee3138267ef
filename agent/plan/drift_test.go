package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func drift(name string, mode release.DriftMode, fields ...release.Field) release.Drift {
	return release.Drift{
		ObjectKey: release.ObjectKey{APIVersion: "v1", Kind: "ConfigMap", Name: name},
		Missing:   len(fields) == 0,
		Fields:    fields,
		Mode:      mode,
	}
}

func field(path, manager string) release.Field { return release.Field{Path: path, Manager: manager} }

func TestDrift(t *testing.T) {
	edited := drift("web", "", field("/data/a", "kubectl-edit"), field("/data/b", ""))
	for name, test := range map[string]struct {
		drifts  []release.Drift
		policy  release.DriftMode
		release string // the release's own mode, as a helmfile label
		want    string
	}{
		"a missing object is corrected":           {[]release.Drift{drift("web", "")}, "correct", "", "web: correct: drift: ConfigMap/web is missing"},
		"fields are named with who wrote them":    {[]release.Drift{edited}, "correct", "", "web: correct: drift: ConfigMap/web: /data/a by kubectl-edit, /data/b"},
		"somebody wishes to be warned only":       {[]release.Drift{edited}, "warn", "", "web: drifted: drift: ConfigMap/web: /data/a by kubectl-edit, /data/b"},
		"a release's own mode counts more":        {[]release.Drift{drift("web", "")}, "correct", "warn", "web: drifted: drift: ConfigMap/web is missing"},
		"an object's own mode counts most":        {[]release.Drift{drift("web", "correct")}, "warn", "warn", "web: correct: drift: ConfigMap/web is missing"},
		"what is only warned of is not corrected": {[]release.Drift{drift("a", "warn"), drift("b", "")}, "correct", "", "web: correct: drift: ConfigMap/b is missing"},
		"without drift there is nothing to do":    {nil, "correct", "", "web: unchanged: as declared"},
	} {
		t.Run(name, func(t *testing.T) {
			wanted, found := want("web", release.Installed), have("web", "deployed")
			wanted.Labels = map[string]string{release.DriftLabel: test.release}
			found.Drifts = test.drifts
			p := policy
			p.Drift = test.policy
			got := reasons(Make([]release.Desired{wanted}, []release.Observed{found}, []release.Rendered{next("web")}, release.Memory{}, p, noon))
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhatIsNotProvenIsNotCorrected: the record may name objects that another client put there.
func TestWhatIsNotProvenIsNotCorrected(t *testing.T) {
	foreign := drift("web", "", field("/data/a", "kubectl"))
	foreign.Foreign = true
	missing := drift("web", "")
	for name, test := range map[string]struct {
		trusted, reproduced bool
		drifts              []release.Drift
		want                string
	}{
		"a record of another client's": {false, false, []release.Drift{missing},
			"web: drifted: drift: ConfigMap/web is missing; its record was not written by this agent, or was changed since; not corrected"},
		"the same, and nothing drifted": {false, false, nil,
			"web: unchanged: as declared; its record was not written by this agent, or was changed since: drift is not corrected"},
		"a record that the agent would write, too": {false, true, []release.Drift{missing}, "web: correct: drift: ConfigMap/web is missing"},
		"an object of another release": {true, false, []release.Drift{foreign},
			"web: drifted: drift: ConfigMap/web: /data/a by kubectl (not corrected: it does not bear Helm's annotations of this release)"},
		"an object of another release, and another object": {true, false, []release.Drift{foreign, drift("b", "")},
			"web: correct: drift: ConfigMap/b is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			found, rendered := have("web", "deployed"), next("web")
			found.Trusted, found.Drifts, rendered.Reproduced = test.trusted, test.drifts, test.reproduced
			p := policy
			p.Drift = release.CorrectDrift
			got := reasons(Make([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{rendered}, release.Memory{}, p, noon))
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOwnershipComesBeforeAWarning: what nobody wishes to correct would otherwise never be recorded.
func TestOwnershipComesBeforeAWarning(t *testing.T) {
	found := of("", have("web", "deployed"))
	found.Drifts = []release.Drift{drift("web", "")}
	p := policy
	p.Drift = release.WarnOfDrift
	got := reasons(Make([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{next("web")}, release.Memory{}, p, noon))
	if diff := cmp.Diff([]string{"web: adopt: as declared, but nobody's yet"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestANewRevisionNeedsNoCorrection: an upgrade puts drifted objects right by itself.
func TestANewRevisionNeedsNoCorrection(t *testing.T) {
	found, rendered := have("web", "deployed"), next("web")
	found.Drifts = []release.Drift{drift("web", "")}
	rendered.Manifest = release.Manifest{deployment(2)}
	p := policy
	p.Drift = release.CorrectDrift
	got := Make([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{rendered}, release.Memory{}, p, noon)
	if got.Steps[0].Verb != Upgrade {
		t.Errorf("got %s", got.Steps[0].Verb)
	}
}

// TestAFight: the same correction in three runs in a row is called what it is, and a run without it starts anew.
func TestAFight(t *testing.T) {
	found := have("web", "deployed")
	found.Drifts = []release.Drift{drift("web", "", field("/data/a", "other-operator"))}
	p := policy
	p.Drift = release.CorrectDrift
	const plain = "web: correct: drift: ConfigMap/web: /data/a by other-operator"
	const fight = plain + " (corrected in 3 runs in a row: somebody fights over it)"
	was := release.Memory{}
	for i, want := range []string{plain, plain, fight} {
		was = run(t, found, p, was, want, i)
	}
	calm := found
	calm.Drifts = nil
	was = run(t, calm, p, was, "web: unchanged: as declared", 3)
	run(t, found, p, was, plain, 4)
}

func run(t *testing.T, found release.Observed, p Policy, was release.Memory, wanted string, i int) release.Memory {
	t.Helper()
	made := Make([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{next("web")}, was, p, noon)
	if diff := cmp.Diff([]string{wanted}, reasons(made)); diff != "" {
		t.Errorf("run %d: %s", i+1, diff)
	}
	return made.Memory(was, nil, func(release.Key) bool { return true })
}

// TestFingerprints: equal inputs are no change, whatever a chart renders from them; other inputs that render the same are
// recorded, not upgraded.
func TestFingerprints(t *testing.T) {
	for name, test := range map[string]struct {
		recorded, now string
		manifest      release.Manifest
		want          string
	}{
		"equal inputs are not even compared":        {"v1-a", "v1-a", nil, "web: unchanged: as declared"},
		"other inputs that render the same":         {"v1-a", "v1-b", release.Manifest{deployment(1)}, "web: relabel: as declared; what it is made from is recorded anew"},
		"other inputs that render otherwise":        {"v1-a", "v1-b", release.Manifest{deployment(2)}, "web: upgrade: templates changed: Deployment/web"},
		"a fingerprint of another version":          {"v0-a", "v1-a", release.Manifest{deployment(1)}, "web: relabel: as declared; what it is made from is recorded anew"},
		"no fingerprint, and the objects are equal": {"", "v1-a", release.Manifest{deployment(1)}, "web: relabel: as declared; what it is made from is recorded anew"},
	} {
		t.Run(name, func(t *testing.T) {
			found, rendered := have("web", "deployed"), next("web")
			found.Fingerprint, rendered.Fingerprint, rendered.Manifest = test.recorded, test.now, test.manifest
			got := reasons(Make([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{rendered}, release.Memory{}, policy, noon))
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
