package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestOrder(t *testing.T) {
	const installed, absent, disabled, unselected = release.Installed, release.Absent, release.Disabled, release.Unselected
	all := func(desired ...release.Desired) []release.Desired { return desired }
	deployed := func(names ...string) (found []release.Observed) {
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
		"releases without needs do not wait": {
			all(want("db", installed), want("web", installed)), nil,
			[]string{"1 install shop/db", "1 install shop/web"},
		},
		"a needed release comes first": {
			all(want("web", installed, "db"), want("db", installed)), nil,
			[]string{"1 install shop/db", "1 install shop/web after shop/db needs shop/db"},
		},
		"a needed release comes first, even if it is unchanged": {
			all(want("a", installed), want("web", installed, "a")), deployed("a", "web"),
			[]string{"1 unchanged shop/a", "1 unchanged shop/web after shop/a needs shop/a"},
		},
		"a release waits for all its needs; they are listed once and in order": {
			all(want("web", installed, "db", "cache", "db"), want("db", installed), want("cache", installed)), nil,
			[]string{"1 install shop/cache", "1 install shop/db", "1 install shop/web after shop/cache shop/db needs shop/cache shop/db"},
		},
		"a need may be in another namespace": {
			all(want("shop/web", installed, "data/db"), want("data/db", installed), want("shop/db", installed)), nil,
			[]string{"1 install data/db", "1 install shop/db", "1 install shop/web after data/db needs data/db"},
		},
		"uninstalls come first": {
			all(want("old", absent), want("web", installed)), deployed("old"),
			[]string{"0 uninstall shop/old", "1 install shop/web"},
		},
		"a needed release is uninstalled last": {
			all(want("web", absent, "db"), want("db", absent)), deployed("db", "web"),
			[]string{"0 uninstall shop/db after shop/web needs shop/web", "0 uninstall shop/web"},
		},
		"state files follow one another, each with its uninstalls first": {
			all(atStage(0, want("a", installed)), atStage(0, want("b", absent)), atStage(1, want("c", installed)), atStage(1, want("d", absent))), deployed("b", "d"),
			[]string{"1 install shop/a", "0 uninstall shop/b", "3 install shop/c", "2 uninstall shop/d"},
		},
		"a need in an earlier state file has a lower phase": {
			all(atStage(0, want("db", installed)), atStage(1, want("web", installed, "db"))), nil,
			[]string{"1 install shop/db", "3 install shop/web needs shop/db"},
		},
		"a release does not wait for a need in a later state file": {
			all(atStage(1, want("db", installed)), atStage(0, want("web", installed, "db"))), nil,
			[]string{"3 install shop/db", "1 install shop/web needs shop/db"},
		},
		"uninstalls in different state files keep the order of the files": {
			all(atStage(0, want("db", absent)), atStage(1, want("web", absent, "db"))), deployed("db", "web"),
			[]string{"0 uninstall shop/db needs shop/web", "2 uninstall shop/web"},
		},
		"an installed release does not wait for the uninstall of its need": {
			all(want("web", installed, "db"), want("db", absent)), deployed("db"),
			[]string{"0 uninstall shop/db", "1 install shop/web"},
		},
		"an uninstall does not wait for a need that stays installed": {
			all(want("web", absent, "db"), want("db", installed)), deployed("web"),
			[]string{"1 install shop/db", "0 uninstall shop/web"},
		},
		"a release does not wait for a disabled need": {
			all(want("web", installed, "db"), want("db", disabled)), deployed("db"),
			[]string{"1 leave shop/db", "1 install shop/web"},
		},
		"a release does not wait for an unselected need": {
			all(want("web", installed, "db"), want("db", unselected)), nil,
			[]string{"1 leave shop/db", "1 install shop/web"},
		},
		"a release does not wait for a need with installed: false": {
			all(want("web", installed, "db"), want("db", absent)), nil,
			[]string{"1 unchanged shop/db", "1 install shop/web"},
		},
		"disabled, unselected and absent releases do not wait": {
			all(want("a", disabled, "db"), want("b", unselected, "db"), want("c", absent, "db"), want("db", installed)), nil,
			[]string{"1 leave shop/a", "1 leave shop/b", "1 unchanged shop/c", "1 install shop/db"},
		},
		"a release does not wait for a need that is not declared": {
			all(want("web", installed, "undeclared")), nil,
			[]string{"1 install shop/web"},
		},
		"a release does not wait for a need that is no longer declared": {
			all(want("web", installed, "lost")), deployed("lost"),
			[]string{"0 mark shop/lost", "1 install shop/web"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var rendered []release.Rendered
			for _, d := range test.want {
				rendered = append(rendered, next(d.Key.String()))
			}
			if diff := cmp.Diff(test.plan, order(Build(test.want, test.have, rendered, release.InstanceState{}, policy, noon))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAReleaseWaitsForARefusedNeed(t *testing.T) {
	desired := []release.Desired{want("web", release.Installed, "db"), want("db", release.Installed)}
	p := Build(desired, nil, []release.Rendered{next("web")}, release.InstanceState{}, policy, noon)
	want := []string{"1 refuse shop/db", "1 install shop/web after shop/db needs shop/db"}
	if diff := cmp.Diff(want, order(p)); diff != "" {
		t.Error(diff)
	}
}
