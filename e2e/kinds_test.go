package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

// visits is how often the zoo is looked at without anything having changed.
const visits = 100

// TestZoo: over charts that spell things in every way which the API server and its controllers spell otherwise, a run
// without changes finds nothing to do, however often it looks, and writes nothing.
func TestZoo(t *testing.T) {
	t.Parallel()
	visit(t, newTenant(t), zoo(t, "namespaced"), nil)
}

// TestZooInCluster is the same for objects that only an administrator may make. It is not parallel to tests that count
// requests, because new kinds change what every chart could look at.
func TestZooInCluster(t *testing.T) {
	// A field that its definition does not know, and the API server therefore drops, is known to the API server alone.
	visit(t, newAdmin(t), zoo(t, "cluster"), []string{"patch animals.zoo.example.com"})
}

// visit installs the files and looks at what they became again and again. The dry runs are those that each visit needs.
func visit(t *testing.T, u tenant, files map[string]string, dryRuns []string) {
	repo := newRepository(t, files)
	u.converge("--repo", repo.url)
	u.converge("--repo", repo.url) // a new kind is news to every chart
	before := now(t)
	for n := range visits {
		s := u.converge("--repo", repo.url)
		for _, r := range s.Releases {
			if r.Action != "unchanged" {
				t.Fatalf("visit %d: %s %s: %s", n+1, r.Name, r.Action, r.Why)
			}
		}
	}
	asked := requests(t, before, u)
	if writes := cluster.Writes(asked); len(writes) != 0 {
		t.Errorf("writes: %v", writes)
	}
	counts := map[string]int{}
	for _, r := range asked {
		if r.Verb == "patch" {
			counts[strings.TrimSuffix("patch "+r.Resource+"."+r.Group, ".")]++
		}
	}
	want := map[string]int{}
	for _, dryRun := range dryRuns {
		want[dryRun] = visits
	}
	if !maps.Equal(want, counts) {
		t.Errorf("dry runs in %d visits: want %v, got %v", visits, want, counts)
	}
	t.Logf("%d requests in %d visits of %d charts", len(asked), visits, strings.Count(files["helmfile.yaml"], "chart:"))
}

// zoo makes a chart and a release of every file in a directory. A custom resource needs its definition.
func zoo(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	var helmfile strings.Builder
	helmfile.WriteString("helmDefaults: {createNamespace: false}\nreleases:\n")
	for _, path := range slices.Sorted(maps.Keys(tree(t, filepath.Join("testdata/zoo", dir)))) {
		name := strings.TrimSuffix(path, ".yaml")
		fmt.Fprintf(&helmfile, "- {name: %s, chart: ./charts/%s", name, name)
		if name == "custom-resource" {
			helmfile.WriteString(", needs: [crd]")
		}
		helmfile.WriteString("}\n")
		content, err := os.ReadFile(filepath.Join("testdata/zoo", dir, path))
		if err != nil {
			t.Fatal(err)
		}
		files["charts/"+name+"/Chart.yaml"] = "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"
		files["charts/"+name+"/templates/all.yaml"] = string(content)
	}
	files["helmfile.yaml"] = helmfile.String()
	return files
}

// newAdmin is a user who may do everything, in a namespace of the test's own.
func newAdmin(t *testing.T) tenant {
	t.Helper()
	u := newTenant(t)
	kubeconfig, err := control.Kubeconfig(cluster.Admin, u.namespace)
	if err != nil {
		t.Fatal(err)
	}
	u.user, u.kubeconfig = cluster.Admin, kubeconfig
	return u
}
