package rbac

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

type manifest = release.Manifest

type opts = release.Options

func checkLines(t *testing.T, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(sorted(want), got); diff != "" {
		t.Errorf("rights (-want +got):\n%s", diff)
	}
}

func TestRightsToInstall(t *testing.T) {
	const records = "list create update secrets in shop"
	elsewhere := configMap("settings")
	elsewhere.Namespace = "other"
	for name, test := range map[string]struct {
		options opts
		after   manifest
		crds    manifest
		want    []string
	}{
		"nothing but Helm's records": {want: []string{records}},
		"objects": {
			after: manifest{configMap("settings"), deployment("web")},
			want:  []string{records, "get create configmaps/settings in shop", "get create deployments.apps/web in shop"},
		},
		"an object in another namespace": {
			after: manifest{elsewhere},
			want:  []string{records, "get create configmaps/settings in other"},
		},
		"a cluster-scoped object": {
			after: manifest{object("v1", "Namespace", "other")},
			want:  []string{records, "get create namespaces/other"},
		},
		"an object of a kind that the cluster does not know": {
			after: manifest{object("example.com/v1", "Backup", "daily"), configMap("settings")},
			want:  []string{records, "get create configmaps/settings in shop"},
		},
		"CRDs": {
			crds: manifest{crd()},
			want: []string{records, "get create customresourcedefinitions.apiextensions.k8s.io/backups.example.com"},
		},
		"objects of others with takeOwnership": {
			options: opts{TakeOwnership: true},
			after:   manifest{configMap("settings")},
			want:    []string{records, "get create patch configmaps/settings in shop"},
		},
		"objects of others with takeOwnership and force": {
			options: opts{TakeOwnership: true, Force: true},
			after:   manifest{configMap("settings")},
			want:    []string{records, "get create update configmaps/settings in shop"},
		},
		"with atomic, and uninstall again": {
			options: opts{Atomic: true},
			after:   manifest{configMap("settings")},
			want:    []string{"get list create update delete secrets in shop", "get create delete configmaps/settings in shop"},
		},
		"with atomic, without deleting an object that Helm keeps": {
			options: opts{Atomic: true},
			after:   manifest{withKeep(configMap("settings"))},
			want:    []string{"get list create update delete secrets in shop", "get create configmaps/settings in shop"},
		},
		"with cleanupOnFail, which is for upgrades": {
			options: opts{CleanupOnFail: true},
			after:   manifest{configMap("settings")},
			want:    []string{records, "get create configmaps/settings in shop"},
		},
		"hooks": {
			after: manifest{hook(object("batch/v1", "Job", "migrate"), "pre-install"), hook(configMap("late"), "post-upgrade")},
			want:  []string{records, "get list watch create delete jobs.batch/migrate in shop"},
		},
		"with atomic, hooks of the uninstall": {
			options: opts{Atomic: true},
			after:   manifest{hook(configMap("farewell"), "post-delete")},
			want:    []string{"get list create update delete secrets in shop", "get create delete configmaps/farewell in shop"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			change := Change{Key: web, Action: Install, Options: test.options, After: test.after, CRDs: test.crds}
			checkLines(t, linesOf(requirements(change, nil, scopeOf)), test.want)
		})
	}
}

// TestRightsAfterAnInterruption: objects of the interrupted revision are taken over, or deleted.
func TestRightsAfterAnInterruption(t *testing.T) {
	settings, old := configMap("settings"), deployment("old")
	for name, test := range map[string]struct {
		action      Action
		interrupted release.Operation
		want        []string
	}{
		"of an installation, to install again": {Install, release.Installing,
			[]string{"get list create update secrets in shop", "get create patch configmaps/settings in shop", "get delete deployments.apps/old in shop"}},
		"of an uninstallation, to install again": {Upgrade, release.Uninstalling,
			[]string{"get list create update delete secrets in shop", "get create configmaps/settings in shop", "get delete deployments.apps/old in shop", "get delete configmaps/earlier in shop"}},
		"of an upgrade, to uninstall": {Uninstall, release.Upgrading,
			[]string{"get list update delete secrets in shop", "get delete deployments.apps/old in shop", "get delete configmaps/earlier in shop"}},
		"of nothing, to uninstall": {Uninstall, "",
			[]string{"get list update delete secrets in shop", "get delete deployments.apps/old in shop"}},
	} {
		t.Run(name, func(t *testing.T) {
			change := Change{Key: web, Action: test.action, Interrupted: test.interrupted, Revision: 1, Status: "failed", Before: manifest{old}, After: manifest{settings}}
			if test.interrupted == release.Uninstalling {
				change.Status = "uninstalling"
			}
			var earlier manifest
			if test.interrupted != release.Installing {
				earlier = manifest{configMap("earlier")}
			}
			checkLines(t, linesOf(requirements(change, earlier, scopeOf)), test.want)
		})
	}
}

func TestRightsToUpgrade(t *testing.T) {
	const records = "list create update secrets in shop"
	settings, moved := configMap("settings"), hook(configMap("settings"), "pre-upgrade")
	differs := []release.Drift{{ObjectKey: settings.ObjectKey}}
	missing := []release.Drift{{ObjectKey: settings.ObjectKey, Missing: true}}
	for name, test := range map[string]struct {
		options                opts
		status                 string // deployed, unless it is given
		before, after, earlier manifest
		drifts                 []release.Drift
		want                   []string
	}{
		"nothing but Helm's records": {want: []string{records}},
		"a new object": {
			after: manifest{settings},
			want:  []string{records, "get create configmaps/settings in shop"},
		},
		"a changed object": {
			before: manifest{settings}, after: manifest{changed(settings)},
			want: []string{records, "get patch configmaps/settings in shop"},
		},
		"an unchanged object": {
			before: manifest{settings}, after: manifest{settings},
			want: []string{records, "get configmaps/settings in shop"},
		},
		"an object that is no longer declared": {
			before: manifest{settings},
			want:   []string{records, "get delete configmaps/settings in shop"},
		},
		"an object that is no longer declared and that Helm keeps": {
			before: manifest{withKeep(settings)},
			want:   []string{records, "get configmaps/settings in shop"},
		},
		"an object of an earlier revision": {
			earlier: manifest{settings},
			want:    []string{records, "get delete configmaps/settings in shop"},
		},
		"an object that becomes a hook": {
			before: manifest{settings}, after: manifest{moved},
			want: []string{records, "get create delete configmaps/settings in shop"},
		},
		"a hook that becomes an object": {
			before: manifest{moved}, after: manifest{settings},
			want: []string{records, "get create configmaps/settings in shop"},
		},
		"a hook that is no longer declared": {
			before: manifest{moved},
			want:   []string{records},
		},
		"a changed object with force": {
			options: opts{Force: true},
			before:  manifest{settings}, after: manifest{changed(settings)},
			want: []string{records, "get update configmaps/settings in shop"},
		},
		"an unchanged object with force": {
			options: opts{Force: true},
			before:  manifest{settings}, after: manifest{settings},
			want: []string{records, "get update configmaps/settings in shop"},
		},
		"an unchanged object that differs live": {
			before: manifest{settings}, after: manifest{settings}, drifts: differs,
			want: []string{records, "get patch configmaps/settings in shop"},
		},
		"an unchanged object that differs live with force": {
			options: opts{Force: true},
			before:  manifest{settings}, after: manifest{settings}, drifts: differs,
			want: []string{records, "get update configmaps/settings in shop"},
		},
		"an unchanged object that is missing": {
			before: manifest{settings}, after: manifest{settings}, drifts: missing,
			want: []string{records, "get create configmaps/settings in shop"},
		},
		"an unchanged object beside one that drifted": {
			before: manifest{deployment("web")}, after: manifest{deployment("web")}, drifts: differs,
			want: []string{records, "get deployments.apps/web in shop"},
		},
		"an unchanged object after a failed revision": {
			status: "failed",
			before: manifest{settings}, after: manifest{settings},
			want: []string{records, "get create patch configmaps/settings in shop"},
		},
		"an unchanged object after an interrupted upgrade": {
			status: "pending-upgrade",
			before: manifest{settings}, after: manifest{settings},
			want: []string{"get list create update secrets in shop", "get create patch configmaps/settings in shop"},
		},
		"after an interrupted rollback":     {status: "pending-rollback", want: []string{"get list create update secrets in shop"}},
		"after a revision of unknown state": {status: "unknown", want: []string{"get list create update secrets in shop"}},
		"objects of others with takeOwnership": {
			options: opts{TakeOwnership: true},
			after:   manifest{settings},
			want:    []string{records, "get create patch configmaps/settings in shop"},
		},
		"objects of its own with takeOwnership": {
			options: opts{TakeOwnership: true},
			before:  manifest{settings}, after: manifest{settings},
			want: []string{records, "get configmaps/settings in shop"},
		},
		"a new object with cleanupOnFail": {
			options: opts{CleanupOnFail: true},
			after:   manifest{settings},
			want:    []string{records, "get create delete configmaps/settings in shop"},
		},
		"a changed object with cleanupOnFail": {
			options: opts{CleanupOnFail: true},
			before:  manifest{settings}, after: manifest{changed(settings)},
			want: []string{records, "get patch configmaps/settings in shop"},
		},
		"a new object with atomic": {
			options: opts{Atomic: true},
			after:   manifest{settings},
			want:    []string{"get list create update secrets in shop", "get create delete configmaps/settings in shop"},
		},
		"an object that is no longer declared with atomic": {
			options: opts{Atomic: true},
			before:  manifest{settings},
			want:    []string{"get list create update secrets in shop", "get create delete configmaps/settings in shop"},
		},
		"hooks of the rollback with atomic": {
			options: opts{Atomic: true},
			before:  manifest{hook(settings, "pre-rollback")}, after: manifest{hook(settings, "pre-rollback")},
			want: []string{"get list create update secrets in shop", "get create delete configmaps/settings in shop"},
		},
		"hooks of the rollback without atomic": {
			before: manifest{hook(settings, "pre-rollback")}, after: manifest{hook(settings, "pre-rollback")},
			want: []string{records},
		},
		"one record more than historyMax": {options: opts{HistoryMax: 2}, want: []string{"get list create update delete secrets in shop"}},
		"fewer records than historyMax":   {options: opts{HistoryMax: 3}, want: []string{records}},
		"recreatePods":                    {options: opts{RecreatePods: true}, want: []string{records, "list delete pods in shop"}},
		"with reinstallIfForbidden, or uninstall and install": {
			options: opts{ReinstallIfForbidden: true},
			before:  manifest{settings, deployment("old")}, after: manifest{changed(settings)},
			want: []string{
				"get list create update delete secrets in shop",
				"get create patch delete configmaps/settings in shop",
				"get delete deployments.apps/old in shop",
			},
		},
		"after an interrupted uninstall": {
			status: "uninstalling",
			before: manifest{settings}, after: manifest{settings},
			want: []string{"get list create update delete secrets in shop", "get create patch delete configmaps/settings in shop"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			change := Change{Key: web, Action: Upgrade, Options: test.options, Revision: 2, Status: "deployed", Before: test.before, After: test.after, Drifts: test.drifts}
			if test.status != "" {
				change.Status = test.status
			}
			checkLines(t, linesOf(requirements(change, test.earlier, scopeOf)), test.want)
		})
	}
}

func TestAnUpgradeDoesNotChangeCRDs(t *testing.T) {
	change := Change{Key: web, Action: Upgrade, Revision: 2, Status: "deployed", CRDs: manifest{crd()}}
	checkLines(t, linesOf(requirements(change, nil, scopeOf)), []string{"list create update secrets in shop"})
}

func TestRightsToUninstall(t *testing.T) {
	const records = "get list update delete secrets in shop"
	for name, test := range map[string]struct {
		options opts
		before  manifest
		want    []string
	}{
		"nothing but Helm's records": {want: []string{records}},
		"an object":                  {before: manifest{configMap("settings")}, want: []string{records, "get delete configmaps/settings in shop"}},
		"an object that Helm keeps":  {before: manifest{withKeep(configMap("settings"))}, want: []string{records}},
		"a hook of the uninstall":    {before: manifest{hook(configMap("farewell"), "pre-delete")}, want: []string{records, "get create delete configmaps/farewell in shop"}},
		"a hook of another event":    {before: manifest{hook(configMap("welcome"), "pre-install")}, want: []string{records}},
		"a hook with disableHooks":   {options: opts{DisableHooks: true}, before: manifest{hook(configMap("farewell"), "pre-delete")}, want: []string{records}},
		"an object of no known kind": {before: manifest{object("example.com/v1", "Backup", "daily")}, want: []string{records}},
		"an object, waiting or not":  {options: opts{Wait: true}, before: manifest{deployment("web")}, want: []string{records, "get delete deployments.apps/web in shop"}},
	} {
		t.Run(name, func(t *testing.T) {
			change := Change{Key: web, Action: Uninstall, Options: test.options, Revision: 2, Status: "deployed", Before: test.before}
			checkLines(t, linesOf(requirements(change, nil, scopeOf)), test.want)
		})
	}
}

func TestRightsToLabelARecord(t *testing.T) {
	change := Change{Key: web, Action: Label, Revision: 7, Before: manifest{configMap("settings")}}
	checkLines(t, linesOf(requirements(change, nil, scopeOf)), []string{"patch secrets/sh.helm.release.v1.web.v7 in shop"})
}

func TestRightsToCorrectDrift(t *testing.T) {
	change := Change{Key: web, Action: Correct, Revision: 2, Status: "deployed", Before: manifest{configMap("settings"), configMap("same"), deployment("web")}, Drifts: []release.Drift{
		{ObjectKey: configMap("settings").ObjectKey},
		{ObjectKey: deployment("web").ObjectKey, Missing: true},
	}}
	checkLines(t, linesOf(requirements(change, nil, scopeOf)), []string{"patch configmaps/settings in shop", "create deployments.apps/web in shop"})
}

func TestRightsToWait(t *testing.T) {
	workloads := manifest{deployment("web"), object("apps/v1", "ReplicaSet", "set"), object("v1", "ReplicationController", "old"), configMap("settings")}
	for name, test := range map[string]struct {
		options opts
		want    []string
	}{
		"no wait":     {},
		"waitForJobs": {options: opts{WaitForJobs: true}},
		"wait":        {options: opts{Wait: true}, want: []string{"list replicasets.apps in shop", "list pods in shop"}},
		"atomic":      {options: opts{Atomic: true}, want: []string{"list replicasets.apps in shop", "list pods in shop"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := &needs{Change: Change{Key: web, Options: test.options}, scopeOf: scopeOf}
			n.wait(workloads)
			checkLines(t, linesOf(n.rights), test.want)
		})
	}
	t.Run("a hook is not waited for like an object", func(t *testing.T) {
		n := &needs{Change: Change{Key: web, Options: opts{Wait: true}}, scopeOf: scopeOf}
		n.wait(manifest{hook(deployment("web"), "pre-install")})
		checkLines(t, linesOf(n.rights), nil)
	})
	t.Run("in the namespace of the object", func(t *testing.T) {
		elsewhere := deployment("web")
		elsewhere.Namespace = "other"
		n := &needs{Change: Change{Key: web, Options: opts{Wait: true}}, scopeOf: scopeOf}
		n.wait(manifest{elsewhere})
		checkLines(t, linesOf(n.rights), []string{"list replicasets.apps in other"})
	})
}

// TestInvariantsOfRights holds for manifests, options and states that are drawn at random.
func TestInvariantsOfRights(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		change, earlier := randomChange(random)
		rights := requirements(change, earlier, scopeOf)
		may := func(verb, name string) bool {
			return slices.Contains(rights, right{verb, "", "configmaps", "shop", name})
		}
		for _, object := range change.After {
			if (change.Action == Install || change.Action == Upgrade) && !may("get", object.Name) {
				t.Fatalf("%s: no right to get %s\n%+v", change.Action, object.Name, change)
			}
			existed := contains(change.Before, object.Name)
			if (change.Action == Install || change.Action == Upgrade && !existed) && !may("create", object.Name) {
				t.Fatalf("%s: no right to create %s\n%+v", change.Action, object.Name, change)
			}
		}
		for _, object := range slices.Concat(change.Before, earlier) {
			declared := contains(change.After, object.Name)
			if kept(object) && !declared && may("delete", object.Name) {
				t.Fatalf("%s: a right to delete %s, which Helm keeps\n%+v", change.Action, object.Name, change)
			}
			goes := change.Action == Upgrade && !declared
			if goes && !kept(object) && !may("delete", object.Name) {
				t.Fatalf("%s: no right to delete %s\n%+v", change.Action, object.Name, change)
			}
		}
		for _, one := range rights {
			if one.resource == "secrets" && one.namespace != "shop" {
				t.Fatalf("%s: %s is not about the records of the release", change.Action, one)
			}
		}
	}
}

func contains(in manifest, name string) bool {
	return slices.ContainsFunc(in, func(object release.Object) bool { return object.Name == name })
}

func randomChange(random *rand.Rand) (Change, manifest) {
	some := func() bool { return random.IntN(2) == 0 }
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	objects := func() manifest {
		var drawn manifest
		for _, object := range (manifest{configMap("a"), configMap("b"), withKeep(configMap("c")), withKeep(configMap("d"))}) {
			switch random.IntN(3) {
			case 0:
				drawn = append(drawn, object)
			case 1:
				drawn = append(drawn, changed(object))
			}
		}
		return drawn
	}
	change := Change{
		Key:      web,
		Action:   Action(pick(string(Install), string(Upgrade), string(Uninstall))),
		Revision: 1 + random.IntN(12),
		Status:   pick("deployed", "failed", "pending-upgrade", "uninstalling", "superseded"),
		After:    objects(),
		Options: opts{
			Atomic: some(), CleanupOnFail: some(), Force: some(), TakeOwnership: some(), Wait: some(),
			ReinstallIfForbidden: some(), HistoryMax: random.IntN(12),
		},
	}
	if change.Action == Install {
		return change, nil
	}
	change.Before = objects()
	return change, objects()
}
