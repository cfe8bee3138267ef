package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestOrder(t *testing.T) {
	const installed, absent, disabled, unselected = release.Installed, release.Absent, release.Disabled, release.Unselected
	all := func(desired ...release.Desired) []release.Desired { return desired }
	there := func(names ...string) (found []release.Observed) {
		for _, name := range names {
			found = append(found, have(name, "deployed"))
		}
		return found
	}

	for name, test := range map[string]struct {
		want []release.Desired
		have []release.Observed
		plan []string
	}{
		"what needs nothing waits for nobody": {
			all(want("db", installed), want("web", installed)), nil,
			[]string{"1 install shop/db", "1 install shop/web"},
		},
		"what is needed comes first": {
			all(want("web", installed, "db"), want("db", installed)), nil,
			[]string{"1 install shop/db", "1 install shop/web after shop/db needs shop/db"},
		},
		"whatever is to be done to it": {
			all(want("a", installed), want("web", installed, "a")), there("a", "web"),
			[]string{"1 unchanged shop/a", "1 unchanged shop/web after shop/a needs shop/a"},
		},
		"what needs several waits for all of them, named once and in order": {
			all(want("web", installed, "db", "cache", "db"), want("db", installed), want("cache", installed)), nil,
			[]string{"1 install shop/cache", "1 install shop/db", "1 install shop/web after shop/cache shop/db needs shop/cache shop/db"},
		},
		"needs reach other namespaces": {
			all(want("shop/web", installed, "data/db"), want("data/db", installed), want("shop/db", installed)), nil,
			[]string{"1 install data/db", "1 install shop/db", "1 install shop/web after data/db needs data/db"},
		},
		"uninstalls come first": {
			all(want("old", absent), want("web", installed)), there("old"),
			[]string{"0 uninstall shop/old", "1 install shop/web"},
		},
		"and what is needed is uninstalled last": {
			all(want("web", absent, "db"), want("db", absent)), there("db", "web"),
			[]string{"0 uninstall shop/db after shop/web needs shop/web", "0 uninstall shop/web"},
		},
		"state files follow one another, each with its uninstalls first": {
			all(at(0, want("a", installed)), at(0, want("b", absent)), at(1, want("c", installed)), at(1, want("d", absent))), there("b", "d"),
			[]string{"1 install shop/a", "0 uninstall shop/b", "3 install shop/c", "2 uninstall shop/d"},
		},
		"a need in an earlier state file is waited for by the phase": {
			all(at(0, want("db", installed)), at(1, want("web", installed, "db"))), nil,
			[]string{"1 install shop/db", "3 install shop/web needs shop/db"},
		},
		"a need in a later state file cannot be waited for": {
			all(at(1, want("db", installed)), at(0, want("web", installed, "db"))), nil,
			[]string{"3 install shop/db", "1 install shop/web needs shop/db"},
		},
		"uninstalls in different state files keep the files' order": {
			all(at(0, want("db", absent)), at(1, want("web", absent, "db"))), there("db", "web"),
			[]string{"0 uninstall shop/db needs shop/web", "2 uninstall shop/web"},
		},
		"a release that stays does not wait for a need that goes": {
			all(want("web", installed, "db"), want("db", absent)), there("db"),
			[]string{"0 uninstall shop/db", "1 install shop/web"},
		},
		"a release that goes does not wait for a need that stays": {
			all(want("web", absent, "db"), want("db", installed)), there("web"),
			[]string{"1 install shop/db", "0 uninstall shop/web"},
		},
		"a disabled need is not waited for": {
			all(want("web", installed, "db"), want("db", disabled)), there("db"),
			[]string{"1 leave shop/db", "1 install shop/web"},
		},
		"an unselected need is not waited for": {
			all(want("web", installed, "db"), want("db", unselected)), nil,
			[]string{"1 leave shop/db", "1 install shop/web"},
		},
		"a need that is not to be there is not waited for": {
			all(want("web", installed, "db"), want("db", absent)), nil,
			[]string{"1 unchanged shop/db", "1 install shop/web"},
		},
		"nor do a disabled, an unselected and an absent release wait for anything": {
			all(want("a", disabled, "db"), want("b", unselected, "db"), want("c", absent, "db"), want("db", installed)), nil,
			[]string{"1 leave shop/a", "1 leave shop/b", "1 unchanged shop/c", "1 install shop/db"},
		},
		"a need that nobody declares is not waited for": {
			all(want("web", installed, "nobody")), nil,
			[]string{"1 install shop/web"},
		},
		"nor one that nobody declares any more": {
			all(want("web", installed, "lost")), there("lost"),
			[]string{"0 mark shop/lost", "1 install shop/web"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var rendered []release.Rendered
			for _, d := range test.want {
				rendered = append(rendered, next(d.Key.String()))
			}
			if diff := cmp.Diff(test.plan, places(Make(test.want, test.have, rendered, release.Memory{}, policy, noon))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARefusedReleaseIsWaitedFor(t *testing.T) {
	desired := []release.Desired{want("web", release.Installed, "db"), want("db", release.Installed)}
	p := Make(desired, nil, []release.Rendered{next("web")}, release.Memory{}, policy, noon)
	want := []string{"1 refuse shop/db", "1 install shop/web after shop/db needs shop/db"}
	if diff := cmp.Diff(want, places(p)); diff != "" {
		t.Error(diff)
	}
}
