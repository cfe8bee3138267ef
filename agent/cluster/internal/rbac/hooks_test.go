package rbac

import (
	"testing"

	helm "helm.sh/helm/v3/pkg/release"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestRightsForHooks(t *testing.T) {
	settings, job := configMap("settings"), object("batch/v1", "Job", "migrate")
	const createAndDelete = "get create delete configmaps/settings in shop"
	for name, test := range map[string]struct {
		hook    release.Object
		disable bool
		want    []string
	}{
		"is deleted before it is created again":          {hook: hook(settings, "pre-install"), want: []string{createAndDelete}},
		"is deleted with an empty policy":                {hook: hook(settings, "pre-install", " "), want: []string{createAndDelete}},
		"is deleted when it succeeded":                   {hook: hook(settings, "pre-install", "hook-succeeded"), want: []string{createAndDelete}},
		"is deleted when it failed":                      {hook: hook(settings, "pre-install", "hook-failed"), want: []string{createAndDelete}},
		"is deleted by one policy of several":            {hook: hook(settings, "pre-install", "other, Before-Hook-Creation"), want: []string{createAndDelete}},
		"is not deleted by a policy that Helm ignores":   {hook: hook(settings, "pre-install", "other"), want: []string{"create configmaps/settings in shop"}},
		"of several events runs at one of them":          {hook: hook(settings, "post-upgrade, PRE-INSTALL"), want: []string{createAndDelete}},
		"of another event does not run":                  {hook: hook(settings, "post-upgrade")},
		"of an event with a longer name does not run":    {hook: hook(settings, "pre-install-again")},
		"does not run with disableHooks":                 {hook: hook(settings, "pre-install"), disable: true},
		"that is a Job is watched":                       {hook: hook(job, "pre-install"), want: []string{"get list watch create delete jobs.batch/migrate in shop"}},
		"that is a Pod is watched":                       {hook: hook(object("v1", "Pod", "check"), "pre-install"), want: []string{"get list watch create delete pods/check in shop"}},
		"that is a Job may stay":                         {hook: hook(job, "pre-install", "other"), want: []string{"list watch create jobs.batch/migrate in shop"}},
		"that is a CustomResourceDefinition stays":       {hook: hook(crd(), "pre-install"), want: []string{"create customresourcedefinitions.apiextensions.k8s.io/backups.example.com"}},
		"of a kind that the cluster does not know is no": {hook: hook(object("example.com/v1", "Backup", "daily"), "pre-install")},
		"that is no hook is not created as one":          {hook: annotated(settings, "helm.sh/hook", "pre-install")},
	} {
		t.Run("a hook "+name, func(t *testing.T) {
			n := &needs{Change: Change{Key: web, Options: opts{DisableHooks: test.disable}}, scopeOf: scopeOf}
			n.hooks(manifest{test.hook}, helm.HookPreInstall, helm.HookPostInstall)
			checkLines(t, linesOf(n.rights), test.want)
		})
	}
}

func TestWhetherHelmKeepsAnObject(t *testing.T) {
	settings := configMap("settings")
	for name, test := range map[string]struct {
		object release.Object
		want   bool
	}{
		"without an annotation":   {settings, false},
		"with the policy keep":    {withKeep(settings), true},
		"with the policy Keep":    {annotated(settings, "helm.sh/resource-policy", " Keep "), true},
		"with another policy":     {annotated(settings, "helm.sh/resource-policy", "delete"), false},
		"with an empty policy":    {annotated(settings, "helm.sh/resource-policy", ""), false},
		"with another annotation": {annotated(settings, "helm.sh/hook", "keep"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := kept(test.object); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
