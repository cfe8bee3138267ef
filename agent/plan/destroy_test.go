package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// stateWithNeeds is a saved state with these needs: the key is the release, the values are the releases that it needs.
func stateWithNeeds(needs map[string][]string) release.InstanceState {
	state := release.InstanceState{Needs: map[string][]release.Key{}}
	for name, needed := range needs {
		for _, n := range needed {
			state.Needs[key(name).String()] = append(state.Needs[key(name).String()], key(n))
		}
	}
	return state
}

func TestOrderOfPrunes(t *testing.T) {
	for name, test := range map[string]struct {
		have  []string
		needs map[string][]string
		want  []string
	}{
		"releases without needs are pruned at the same time": {[]string{"a", "b"}, nil,
			[]string{"1 prune shop/a", "1 prune shop/b"}},
		"a needed release is pruned last": {[]string{"cache", "db", "web"}, map[string][]string{"web": {"db", "cache"}, "db": {"cache"}},
			[]string{"1 prune shop/cache after shop/db shop/web needs shop/db shop/web", "1 prune shop/db after shop/web needs shop/web", "1 prune shop/web"}},
		"a repeated need is listed once": {[]string{"db", "web"}, map[string][]string{"web": {"db", "db"}},
			[]string{"1 prune shop/db after shop/web needs shop/web", "1 prune shop/web"}},
		"a need may be in another namespace": {[]string{"data/db", "web"}, map[string][]string{"web": {"data/db"}},
			[]string{"1 prune data/db after shop/web needs shop/web", "1 prune shop/web"}},
		"a need that is not installed is ignored": {[]string{"db"}, map[string][]string{"web": {"db"}, "db": {"gone"}},
			[]string{"1 prune shop/db"}},
		"the need that would close a cycle is ignored": {[]string{"a", "b", "c"}, map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"a"}},
			[]string{"1 prune shop/a", "1 prune shop/b after shop/a needs shop/a", "1 prune shop/c after shop/b needs shop/b"}},
		"a release does not wait for itself": {[]string{"a"}, map[string][]string{"a": {"a"}},
			[]string{"1 prune shop/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			var found []release.Observed
			previous := stateWithNeeds(test.needs)
			for _, name := range test.have {
				found = append(found, have(name, "deployed"))
				previous.Marks = append(previous.Marks, marked(name, time.Hour))
			}
			if diff := cmp.Diff(test.want, order(Destroy(found, previous, policy, noon))); diff != "" {
				t.Errorf("destroy: %s", diff)
			}
			declared := []release.Desired{want("zzz", release.Absent)}
			want := append(slices.Clone(test.want), "1 unchanged shop/zzz")
			for i := range test.want {
				want[i] = "2" + test.want[i][1:]
			}
			if diff := cmp.Diff(want, order(Build(declared, found, nil, previous, policy, noon))); diff != "" {
				t.Errorf("run: %s", diff)
			}
		})
	}
}

func TestPrunesComeAfterAllOtherSteps(t *testing.T) {
	declared := []release.Desired{atStage(0, want("a", release.Installed)), atStage(3, want("b", release.Absent)), atStage(3, want("c", release.Installed, "a"))}
	found := []release.Observed{have("b", "deployed"), have("lost", "deployed"), have("other", "deployed")}
	p := Build(declared, found, []release.Rendered{next("a"), next("c")}, stateWithMarks(marked("lost", time.Hour)), policy, noon)
	want := []string{"1 install shop/a", "6 uninstall shop/b", "7 install shop/c needs shop/a", "8 prune shop/lost", "0 mark shop/other"}
	if diff := cmp.Diff(want, order(p)); diff != "" {
		t.Error(diff)
	}
}

func TestDestroyUninstallsOnlyWhatTheInstanceOwns(t *testing.T) {
	toKeep := have("to-keep", "deployed") // destroy ignores the label and the annotation keep
	toKeep.Keep, toKeep.KeptByHand = true, true
	elsewhere := have("elsewhere", "failed")
	elsewhere.Origin = "elsewhere"
	forged := have("forged", "deployed")
	forged.Trusted = false
	p := Destroy([]release.Observed{
		toKeep, elsewhere, have("gone", "uninstalled"), ownedBy("theirs", have("theirs", "deployed")), ownedBy("", have("unowned", "deployed")),
		have("data/db", "uninstalling"), forged,
	}, release.InstanceState{}, policy, noon)
	const why = ": prune: destroy uninstalls everything that the instance owns"
	if diff := cmp.Diff([]string{"db" + why, "elsewhere" + why,
		"forged: hold: its record was not written by this agent, or was changed since; uninstall it with Helm", "to-keep" + why}, reasons(p)); diff != "" {
		t.Error(diff)
	}
}
