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
		"a missing object is corrected":                     {[]release.Drift{drift("web", "")}, "correct", "", "web: correct: drift: ConfigMap/web is missing"},
		"the reason lists the fields and who wrote them":    {[]release.Drift{edited}, "correct", "", "web: correct: drift: ConfigMap/web: /data/a by kubectl-edit, /data/b"},
		"the mode warn only reports":                        {[]release.Drift{edited}, "warn", "", "web: drifted: drift: ConfigMap/web: /data/a by kubectl-edit, /data/b"},
		"the mode of the release overrides that of the run": {[]release.Drift{drift("web", "")}, "correct", "warn", "web: drifted: drift: ConfigMap/web is missing"},
		"the mode of the object overrides both":             {[]release.Drift{drift("web", "correct")}, "warn", "warn", "web: correct: drift: ConfigMap/web is missing"},
		"an object with the mode warn is not corrected":     {[]release.Drift{drift("a", "warn"), drift("b", "")}, "correct", "", "web: correct: drift: ConfigMap/b is missing"},
		"no drift": {nil, "correct", "", "web: unchanged: as declared"},
	} {
		t.Run(name, func(t *testing.T) {
			wanted, found := want("web", release.Installed), have("web", "deployed")
			wanted.Labels = map[string]string{release.DriftLabel: test.release}
			found.Drifts = test.drifts
			p := policy
			p.Drift = test.policy
			got := reasons(Build([]release.Desired{wanted}, []release.Observed{found}, []release.Rendered{next("web")}, release.InstanceState{}, p, noon))
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUnprovenRecordsAreNotCorrected: another client may have added objects to the record.
func TestUnprovenRecordsAreNotCorrected(t *testing.T) {
	foreign := drift("web", "", field("/data/a", "kubectl"))
	foreign.Foreign = true
	missing := drift("web", "")
	for name, test := range map[string]struct {
		trusted, reproduced bool
		drifts              []release.Drift
		want                string
	}{
		"a record of another client": {false, false, []release.Drift{missing},
			"web: drifted: drift: ConfigMap/web is missing; its record was not written by this agent, or was changed since; not corrected"},
		"a record of another client without drift": {false, false, nil,
			"web: unchanged: as declared; its record was not written by this agent, or was changed since: drift is not corrected"},
		"a record that the agent would write itself": {false, true, []release.Drift{missing}, "web: correct: drift: ConfigMap/web is missing"},
		"an object of another release": {true, false, []release.Drift{foreign},
			"web: drifted: drift: ConfigMap/web: /data/a by kubectl (not corrected: it does not have Helm's annotations of this release)"},
		"an object of another release, and an own object": {true, false, []release.Drift{foreign, drift("b", "")},
			"web: correct: drift: ConfigMap/b is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			found, rendered := have("web", "deployed"), next("web")
			found.Trusted, found.Drifts, rendered.Reproduced = test.trusted, test.drifts, test.reproduced
			p := policy
			p.Drift = release.CorrectDrift
			got := reasons(Build([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{rendered}, release.InstanceState{}, p, noon))
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAdoptComesBeforeDrifted: with the mode warn, the release would otherwise never be adopted.
func TestAdoptComesBeforeDrifted(t *testing.T) {
	found := ownedBy("", have("web", "deployed"))
	found.Drifts = []release.Drift{drift("web", "")}
	p := policy
	p.Drift = release.WarnDrift
	got := reasons(Build([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{next("web")}, release.InstanceState{}, p, noon))
	if diff := cmp.Diff([]string{"web: adopt: as declared, but no instance owns it yet"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestAnUpgradeReplacesACorrection: an upgrade corrects drifted objects, too.
func TestAnUpgradeReplacesACorrection(t *testing.T) {
	found, rendered := have("web", "deployed"), next("web")
	found.Drifts = []release.Drift{drift("web", "")}
	rendered.Manifest = release.Manifest{deployment(2)}
	p := policy
	p.Drift = release.CorrectDrift
	got := Build([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{rendered}, release.InstanceState{}, p, noon)
	if got.Steps[0].Verb != Upgrade {
		t.Errorf("got %s", got.Steps[0].Verb)
	}
}

// TestRepeatedCorrections: the third consecutive run with the same correction reports a conflict. A run without it resets the count.
func TestRepeatedCorrections(t *testing.T) {
	found := have("web", "deployed")
	found.Drifts = []release.Drift{drift("web", "", field("/data/a", "other-operator"))}
	p := policy
	p.Drift = release.CorrectDrift
	const plain = "web: correct: drift: ConfigMap/web: /data/a by other-operator"
	const conflict = plain + " (corrected in 3 runs in a row: another client keeps changing it)"
	previous := release.InstanceState{}
	for i, want := range []string{plain, plain, conflict} {
		previous = run(t, found, p, previous, want, i)
	}
	withoutDrift := found
	withoutDrift.Drifts = nil
	previous = run(t, withoutDrift, p, previous, "web: unchanged: as declared", 3)
	run(t, found, p, previous, plain, 4)
}

func run(t *testing.T, found release.Observed, p Policy, previous release.InstanceState, wanted string, i int) release.InstanceState {
	t.Helper()
	made := Build([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{next("web")}, previous, p, noon)
	if diff := cmp.Diff([]string{wanted}, reasons(made)); diff != "" {
		t.Errorf("run %d: %s", i+1, diff)
	}
	return made.NextState(previous, nil, func(release.Key) bool { return true })
}

// TestFingerprints: a release with an equal fingerprint is unchanged, whatever its chart renders. If only the fingerprint differs,
// the agent records the new one and does not upgrade.
func TestFingerprints(t *testing.T) {
	for name, test := range map[string]struct {
		recorded, now string
		manifest      release.Manifest
		want          string
	}{
		"equal fingerprints: objects are not compared":    {"v1-a", "v1-a", nil, "web: unchanged: as declared"},
		"another fingerprint, equal objects":              {"v1-a", "v1-b", release.Manifest{deployment(1)}, "web: relabel: as declared; a new fingerprint of its inputs is recorded"},
		"another fingerprint, other objects":              {"v1-a", "v1-b", release.Manifest{deployment(2)}, "web: upgrade: templates changed: Deployment/web"},
		"a fingerprint in an older format, equal objects": {"v0-a", "v1-a", release.Manifest{deployment(1)}, "web: relabel: as declared; a new fingerprint of its inputs is recorded"},
		"no fingerprint, equal objects":                   {"", "v1-a", release.Manifest{deployment(1)}, "web: relabel: as declared; a new fingerprint of its inputs is recorded"},
	} {
		t.Run(name, func(t *testing.T) {
			found, rendered := have("web", "deployed"), next("web")
			found.Fingerprint, rendered.Fingerprint, rendered.Manifest = test.recorded, test.now, test.manifest
			got := reasons(Build([]release.Desired{want("web", release.Installed)}, []release.Observed{found}, []release.Rendered{rendered}, release.InstanceState{}, policy, noon))
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
