package states

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestUnique(t *testing.T) {
	entry := func(name, file string, state release.DesiredState) release.Desired {
		return release.Desired{Key: release.Key{Namespace: "shop", Name: name}, File: file, State: state}
	}
	for name, test := range map[string]struct {
		all  []release.Desired
		want []string
		err  string
	}{
		"nothing": {},
		"different releases, in the order of their names": {
			all:  []release.Desired{entry("web", "a", release.Installed), entry("db", "b", release.Absent)},
			want: []string{"db in b", "web in a"},
		},
		"an alternative that is disabled": {
			all:  []release.Desired{entry("web", "a", release.Installed), entry("web", "b", release.Disabled)},
			want: []string{"web in a"},
		},
		"an alternative that is enabled": {
			all:  []release.Desired{entry("web", "a", release.Disabled), entry("web", "b", release.Unselected), entry("web", "c", release.Absent)},
			want: []string{"web in c"},
		},
		"all alternatives are disabled": {
			all:  []release.Desired{entry("web", "a", release.Disabled), entry("web", "b", release.Disabled)},
			want: []string{"web in a"},
		},
		"twice in different files": {
			all: []release.Desired{entry("web", "a", release.Installed), entry("web", "b", release.Absent)},
			err: "release shop/web is declared twice: in a and in b",
		},
		"twice in one file": {
			all: []release.Desired{entry("web", "a", release.Installed), entry("db", "a", release.Installed), entry("web", "a", release.Installed)},
			err: "release shop/web is declared twice: both times in a",
		},
		"two releases, each twice": {
			all: []release.Desired{entry("web", "a", release.Installed), entry("web", "b", release.Installed), entry("db", "a", release.Absent), entry("db", "a", release.Absent)},
			err: "release shop/web is declared twice: in a and in b\nrelease shop/db is declared twice: both times in a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			releases, err := unique(test.all)
			if err != nil || test.err != "" {
				if fmt.Sprint(err) != test.err {
					t.Errorf("got %v, want %s", err, test.err)
				}
				return
			}
			var got []string
			for _, want := range releases {
				got = append(got, want.Name+" in "+want.File)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestUninstallOptions checks that a release overrides the defaults, and the args of the state override both.
func TestUninstallOptions(t *testing.T) {
	for name, test := range map[string]struct {
		defaults, release string
		want              string
	}{
		"nothing":                     {want: "wait=false timeout=0s cascade= hooks=true"},
		"defaults":                    {defaults: "deleteWait: true, deleteTimeout: 30, cascade: orphan", want: "wait=true timeout=30s cascade=orphan hooks=true"},
		"a release":                   {release: "deleteWait: true, deleteTimeout: 60, cascade: foreground", want: "wait=true timeout=1m0s cascade=foreground hooks=true"},
		"a release and defaults":      {defaults: "deleteWait: true, deleteTimeout: 30, cascade: orphan", release: "deleteWait: false, deleteTimeout: 60, cascade: background", want: "wait=false timeout=1m0s cascade=background hooks=true"},
		"args":                        {defaults: "deleteTimeout: 30, args: [--wait, --timeout=5s, --no-hooks]", want: "wait=true timeout=5s cascade= hooks=false"},
		"syncArgs, for upgrades only": {defaults: "syncArgs: [--wait, --timeout=5s, --no-hooks]", want: "wait=false timeout=0s cascade= hooks=true"},
	} {
		t.Run(name, func(t *testing.T) {
			req, _ := newRequest(t, map[string]string{"helmfile.yaml": "helmDefaults: {" + test.defaults + "}\nreleases:\n- {name: web, chart: ./charts/web, installed: false" +
				strings.TrimSuffix(", "+test.release, ", ") + "}\n"})
			o := loadOne(t, req).Options
			if got := fmt.Sprintf("wait=%t timeout=%s cascade=%s hooks=%t", o.DeleteWait, o.DeleteTimeout, o.Cascade, !o.DisableHooks); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestBrokenRelease checks that a release whose patch does not apply fails alone.
func TestBrokenRelease(t *testing.T) {
	req, _ := newRequest(t, map[string]string{"helmfile.yaml": `releases:
- {name: web, chart: ./charts/web}
- {name: db, chart: ./charts/web, jsonPatches: [missing.yaml]}
`})
	result, err := Load(t.Context(), req)
	if err != nil || len(result.Releases) != 2 {
		t.Fatalf("got %+v, %v", result, err)
	}
	db, web := result.Releases[0], result.Releases[1]
	if db.Name != "db" || db.Broken == nil || strings.Contains(db.Broken.Error(), req.Dir) || db.State != release.Installed {
		t.Errorf("got %+v", db)
	}
	if web.Broken != nil || web.Chart.Path == "" {
		t.Errorf("got %+v", web)
	}
}
