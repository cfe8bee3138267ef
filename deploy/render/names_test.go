package render

import (
	"maps"
	"slices"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	rbac "k8s.io/api/rbac/v1"
)

// TestNames checks that a name has at most 52 characters, and that two names stay different after they were cut.
func TestNames(t *testing.T) {
	long := strings.Repeat("a", 50)
	for name, test := range map[string]struct{ release, values, want string }{
		"release and chart":               {"shop", "{}", "shop-helmfile-agent"},
		"a release with the chart's name": {"helmfile-agent", "{}", "helmfile-agent"},
		"another name for the chart":      {"shop", "nameOverride: agent", "shop-agent"},
		"another name for everything":     {"shop", "fullnameOverride: own", "own"},
		"52 characters are left alone":    {"shop", "fullnameOverride: " + long + "bc", long + "bc"},
		"53 are cut":                      {"shop", "fullnameOverride: " + long + "bcd", strings.Repeat("a", 43) + "-18f2be88"},
		"the longest release":             {long + "bcd", "{}", strings.Repeat("a", 43) + "-fc6167c0"},
		"no dash where it is cut":         {"shop", "fullnameOverride: " + strings.Repeat("a", 42) + "-" + strings.Repeat("b", 20), strings.Repeat("a", 42) + "-ef8d7b62"},
		"another name, cut to the same":   {"shop", "fullnameOverride: " + long + "xyz", strings.Repeat("a", 43) + "-52503802"},
	} {
		t.Run(name, func(t *testing.T) {
			rendered, err := Render(loaded(t), Release{test.release, "shop"}, layered(t, given, test.values))
			if err != nil {
				t.Fatal(err)
			}
			all := objects(t, rendered)
			if got := find[*batch.CronJob](t, all).Name; got != test.want {
				t.Errorf("the CronJob is %q (%d), want %q", got, len(got), test.want)
			}
			if instance := settings(t, all)["instance"]; instance != test.want {
				t.Errorf("the instance is %q", instance)
			}
		})
	}
}

// TestNamesThatLookLikeNumbers checks that no name becomes a number or a boolean in YAML.
func TestNamesThatLookLikeNumbers(t *testing.T) {
	rendered, err := Render(loaded(t), Release{"1e3", "456"}, layered(t, given, `{fullnameOverride: '123', serviceAccount: {name: '7'}, nameOverride: 'true', config: {instance: 'true'},
	  git: {existingSecret: '8', usernameKey: '9', passwordKey: 'null', caKey: '10'}, sops: {existingSecret: '11'}, registry: {existingSecret: '12'}}`))
	if err != nil {
		t.Fatal(err)
	}
	all := objects(t, rendered)
	for _, key := range []string{"CronJob 456/123", "ConfigMap 456/123-config", "Role 456/123", "RoleBinding 456/123", "ServiceAccount 456/7"} {
		if all[key] == nil {
			t.Errorf("there is no %s among %q", key, slices.Sorted(maps.Keys(all)))
		}
	}
	if !rightsOf(find[*rbac.Role](t, all))["update leases.coordination.k8s.io/true"] {
		t.Error("the Role does not name the Lease")
	}
	bound, err := Render(loaded(t), shop, layered(t, given, "rbac: {mode: bind, roleRef: {kind: Role, name: '13'}}"))
	if err != nil {
		t.Fatal(err)
	}
	if to := find[*rbac.RoleBinding](t, objects(t, bound)).RoleRef.Name; to != "13" {
		t.Errorf("the RoleBinding binds %q", to)
	}
}

// TestImage checks that the digest overrides the tag, and that image.registry replaces the registry of the repository.
func TestImage(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	for values, want := range map[string]string{
		"{}":               "ghcr.io/helmfile-agent/helmfile-agent:0.1.0",
		"image: {tag: v2}": "ghcr.io/helmfile-agent/helmfile-agent:v2",
		"image: {tag: v2, digest: '" + digest + "'}":                                         "ghcr.io/helmfile-agent/helmfile-agent@" + digest,
		"image: {registry: registry.example.com}":                                            "registry.example.com/helmfile-agent/helmfile-agent:0.1.0",
		"global: {imageRegistry: 'localhost:5000/'}":                                         "localhost:5000/helmfile-agent/helmfile-agent:0.1.0",
		"{global: {imageRegistry: other}, image: {registry: registry.example.com}}":          "registry.example.com/helmfile-agent/helmfile-agent:0.1.0",
		"image: {registry: registry.example.com/mirror, repository: tools/agent}":            "registry.example.com/mirror/tools/agent:0.1.0",
		"image: {registry: registry.example.com, repository: 'localhost/agent'}":             "registry.example.com/agent:0.1.0",
		"image: {registry: registry.example.com, repository: 'other.example.com:5/a/agent'}": "registry.example.com/a/agent:0.1.0",
	} {
		if got := podOf(cronJob(t, values)).Containers[0].Image; got != want {
			t.Errorf("%s: got %s, want %s", values, got, want)
		}
	}
}

// TestChartNamesTheImageItRuns checks that Artifact Hub scans the image that the chart deploys.
func TestChartNamesTheImageItRuns(t *testing.T) {
	image := podOf(cronJob(t)).Containers[0].Image
	if images := loaded(t).Metadata.Annotations["artifacthub.io/images"]; !strings.Contains(images, "image: "+image+"\n") {
		t.Errorf("Chart.yaml does not name %s in artifacthub.io/images:\n%s", image, images)
	}
}
