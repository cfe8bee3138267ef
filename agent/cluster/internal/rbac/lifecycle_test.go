package rbac

import "testing"

func TestRightsOverTheLifeOfARelease(t *testing.T) {
	const records = "get list create update patch delete secrets in shop"
	settings := configMap("settings")
	for name, test := range map[string]struct {
		options       opts
		corrects      bool
		before, after manifest
		crds          manifest
		want          []string
	}{
		"nothing but Helm's records":      {want: []string{records}},
		"an object":                       {after: manifest{settings}, want: []string{records, "get create patch delete configmaps/settings in shop"}},
		"an object that is removed":       {before: manifest{settings}, want: []string{records, "get create patch delete configmaps/settings in shop"}},
		"an object that Helm keeps":       {after: manifest{withKeep(settings)}, want: []string{records, "get create patch configmaps/settings in shop"}},
		"an object with force":            {options: opts{Force: true}, after: manifest{settings}, want: []string{records, "get create update delete configmaps/settings in shop"}},
		"an object with force, corrected": {options: opts{Force: true}, corrects: true, after: manifest{settings}, want: []string{records, "get create update patch delete configmaps/settings in shop"}},
		"CRDs":                            {crds: manifest{crd()}, want: []string{records, "get create customresourcedefinitions.apiextensions.k8s.io/backups.example.com"}},
		"a hook of the uninstall":         {after: manifest{hook(settings, "post-delete")}, want: []string{records, "get create delete configmaps/settings in shop"}},
		"a hook of the rollback":          {after: manifest{hook(settings, "post-rollback")}, want: []string{records}},
		"a hook of the rollback, atomic":  {options: opts{Atomic: true}, after: manifest{hook(settings, "post-rollback")}, want: []string{records, "get create delete configmaps/settings in shop"}},
		"a hook that is removed":          {before: manifest{hook(settings, "pre-delete")}, want: []string{records}},
		"wait":                            {options: opts{Wait: true}, after: manifest{deployment("web")}, want: []string{records, "get create patch delete deployments.apps/web in shop", "list replicasets.apps in shop"}},
		"recreatePods":                    {options: opts{RecreatePods: true}, want: []string{records, "list delete pods in shop"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := &needs{Change: Change{Key: web, Action: Lifecycle, Options: test.options, Before: test.before, After: test.after, CRDs: test.crds}, scopeOf: scopeOf}
			n.lifecycle(test.corrects)
			checkLines(t, linesOf(n.rights), test.want)
		})
	}
}

func TestRightsToMarkAndPruneAnOrphan(t *testing.T) {
	n := &needs{Change: Change{Key: web, Action: Uninstall, Before: manifest{configMap("settings"), withKeep(configMap("data"))}}, scopeOf: scopeOf}
	n.orphaned()
	checkLines(t, linesOf(n.rights), []string{"get list update patch delete secrets in shop", "get delete configmaps/settings in shop"})
}

// TestTheLifeCoversEveryChange: `access` must not promise less than a run then asks for.
func TestTheLifeCoversEveryChange(t *testing.T) {
	before := manifest{configMap("settings"), withKeep(configMap("data")), deployment("old"), hook(configMap("farewell"), "pre-delete")}
	after := manifest{changed(configMap("settings")), deployment("web"), hook(object("batch/v1", "Job", "migrate"), "pre-install,pre-upgrade,pre-rollback"), hook(configMap("farewell"), "pre-delete")}
	for name, options := range map[string]opts{
		"default":              {},
		"wait":                 {Wait: true},
		"atomic":               {Atomic: true},
		"cleanupOnFail":        {CleanupOnFail: true},
		"force":                {Force: true},
		"takeOwnership":        {TakeOwnership: true},
		"recreatePods":         {RecreatePods: true},
		"reinstallIfForbidden": {ReinstallIfForbidden: true},
		"historyMax":           {HistoryMax: 1},
		"disableHooks":         {DisableHooks: true},
	} {
		for _, action := range []Action{Install, Upgrade, Uninstall} {
			t.Run(name+", "+string(action), func(t *testing.T) {
				change := Change{Key: web, Action: action, Options: options, Revision: 2, Status: "failed", Before: before, After: after}
				life := &needs{Change: change, scopeOf: scopeOf}
				life.lifecycle(true)
				allowed := map[right]bool{}
				for _, one := range life.rights {
					allowed[one] = true
				}
				for _, one := range requirements(change, nil, scopeOf) {
					if !allowed[one] && !allowed[one.anyName()] {
						t.Errorf("the life does not have the right to %s %s", one, one.name)
					}
				}
			})
		}
	}
}
