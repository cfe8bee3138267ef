package rbac

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

func TestWhereAnObjectOfAFutureKindIs(t *testing.T) {
	backup, elsewhere := object("example.com/v1", "Backup", "daily"), object("example.com/v1", "Backup", "daily")
	elsewhere.Namespace = "other"
	wide := crd()
	wide.Content["spec"].(map[string]any)["scope"] = "Cluster"
	inCRDs, inTemplates := Change{Key: web, CRDs: manifest{crd()}}, Change{Key: web, After: manifest{crd()}}
	const unknown = "unknown"
	for name, test := range map[string]struct {
		changes []Change
		object  release.Object
		want    string
	}{
		"no change defines the kind":                    {nil, backup, unknown},
		"a chart's crds define the kind":                {[]Change{inCRDs}, backup, "example.com/v1 backups in shop"},
		"a chart's templates define the kind":           {[]Change{inTemplates}, backup, "example.com/v1 backups in shop"},
		"another release defines the kind":              {[]Change{{Key: release.Key{Name: "db"}}, inCRDs}, backup, "example.com/v1 backups in shop"},
		"of one version of several":                     {[]Change{inCRDs}, object("example.com/v1beta1", "Backup", "daily"), "example.com/v1beta1 backups in shop"},
		"of a version that is not defined":              {[]Change{inCRDs}, object("example.com/v2", "Backup", "daily"), unknown},
		"of a kind that is not defined":                 {[]Change{inCRDs}, object("example.com/v1", "Restore", "daily"), unknown},
		"the object has a namespace of its own":         {[]Change{inCRDs}, elsewhere, "example.com/v1 backups in other"},
		"the kind is cluster-scoped":                    {[]Change{{Key: web, CRDs: manifest{wide}}}, backup, "example.com/v1 backups in "},
		"the cluster knows the kind":                    {[]Change{inCRDs}, configMap("settings"), "/v1 configmaps in shop"},
		"a CustomResourceDefinition without a spec":     {[]Change{{Key: web, CRDs: manifest{object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "empty")}}}, backup, unknown},
		"the revision before defined it, but not after": {[]Change{{Key: web, Before: manifest{crd()}}}, backup, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			got := unknown
			if at, ok := withFutureKinds(scopeOf, test.changes)(test.object, "shop"); ok {
				got = at.Group + "/" + at.Version + " " + at.Resource + " in " + at.Namespace
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("scope (-want +got):\n%s", diff)
			}
		})
	}
}
