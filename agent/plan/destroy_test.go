package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// needing remembers "who: what it needs …".
func needing(needs map[string][]string) release.Memory {
	m := release.Memory{Needs: map[string][]release.Key{}}
	for name, needed := range needs {
		for _, n := range needed {
			m.Needs[key(name).String()] = append(m.Needs[key(name).String()], key(n))
		}
	}
	return m
}

func TestTheOrderOfPruning(t *testing.T) {
	for name, test := range map[string]struct {
		have  []string
		needs map[string][]string
		want  []string
	}{
		"what needs nothing goes at once": {[]string{"a", "b"}, nil,
			[]string{"1 prune shop/a", "1 prune shop/b"}},
		"what is needed goes last": {[]string{"cache", "db", "web"}, map[string][]string{"web": {"db", "cache"}, "db": {"cache"}},
			[]string{"1 prune shop/cache after shop/db shop/web needs shop/db shop/web", "1 prune shop/db after shop/web needs shop/web", "1 prune shop/web"}},
		"what is needed twice is named once": {[]string{"db", "web"}, map[string][]string{"web": {"db", "db"}},
			[]string{"1 prune shop/db after shop/web needs shop/web", "1 prune shop/web"}},
		"needs reach other namespaces": {[]string{"data/db", "web"}, map[string][]string{"web": {"data/db"}},
			[]string{"1 prune data/db after shop/web needs shop/web", "1 prune shop/web"}},
		"what is gone is not waited for": {[]string{"db"}, map[string][]string{"web": {"db"}, "db": {"gone"}},
			[]string{"1 prune shop/db"}},
		"needs of different times may be a circle, which is left open": {[]string{"a", "b", "c"}, map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"a"}},
			[]string{"1 prune shop/a", "1 prune shop/b after shop/a needs shop/a", "1 prune shop/c after shop/b needs shop/b"}},
		"nobody waits for itself": {[]string{"a"}, map[string][]string{"a": {"a"}},
			[]string{"1 prune shop/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			var found []release.Observed
			was := needing(test.needs)
			for _, name := range test.have {
				found = append(found, have(name, "deployed"))
				was.Marks = append(was.Marks, marked(name, time.Hour))
			}
			if diff := cmp.Diff(test.want, places(Destroy(found, was, "mine"))); diff != "" {
				t.Errorf("destroy: %s", diff)
			}
			declared := []release.Desired{want("zzz", release.Absent)}
			want := append(test.want, "1 unchanged shop/zzz")
			for i := range test.want {
				want[i] = "2" + test.want[i][1:]
			}
			if diff := cmp.Diff(want, places(Make(declared, found, nil, was, policy, noon))); diff != "" {
				t.Errorf("run: %s", diff)
			}
		})
	}
}

func TestPruningComesAfterEverythingElse(t *testing.T) {
	declared := []release.Desired{at(0, want("a", release.Installed)), at(3, want("b", release.Absent)), at(3, want("c", release.Installed, "a"))}
	found := []release.Observed{have("b", "deployed"), have("lost", "deployed"), have("other", "deployed")}
	p := Make(declared, found, []release.Rendered{next("a"), next("c")}, marks(marked("lost", time.Hour)), policy, noon)
	want := []string{"1 install shop/a", "6 uninstall shop/b", "7 install shop/c needs shop/a", "8 prune shop/lost", "0 mark shop/other"}
	if diff := cmp.Diff(want, places(p)); diff != "" {
		t.Error(diff)
	}
}

func TestDestroyTakesWhatTheInstanceOwnsAndNothingElse(t *testing.T) {
	kept := have("kept", "deployed") // a person asks for everything
	kept.Keep, kept.KeptByHand = true, true
	elsewhere := have("elsewhere", "failed")
	elsewhere.Origin = "elsewhere"
	forged := have("forged", "deployed")
	forged.Trusted = false
	p := Destroy([]release.Observed{
		kept, elsewhere, have("gone", "uninstalled"), of("theirs", have("theirs", "deployed")), of("", have("nobodys", "deployed")),
		have("data/db", "uninstalling"), forged,
	}, release.Memory{}, "mine")
	const why = ": prune: everything that the instance owns goes"
	if diff := cmp.Diff([]string{"db" + why, "elsewhere" + why,
		"forged: hold: its record was not written by this agent, or was changed since; uninstall it with Helm", "kept" + why}, reasons(p)); diff != "" {
		t.Error(diff)
	}
}
