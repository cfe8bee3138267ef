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

// visits is the number of runs without changes.
const visits = 100

// TestAllKinds has charts with values in every form that the API server or a controller changes. Runs without changes must find nothing to
// do and write nothing.
func TestAllKinds(t *testing.T) {
	t.Parallel()
	visit(t, newTenant(t), chartsOf(t, "namespaced"), nil)
}

// TestClusterScopedKinds does the same for objects that only an administrator may create. It does not run in parallel with tests that count
// requests, because new kinds change their fingerprints.
func TestClusterScopedKinds(t *testing.T) {
	// The API server drops a field that the CRD does not have. Only the API server can find this out.
	visit(t, newAdmin(t), chartsOf(t, "cluster"), []string{"patch animals.zoo.example.com"})
}

// visit installs the files, and runs the agent again several times. dryRuns lists the dry runs that each run needs.
func visit(t *testing.T, u tenant, files map[string]string, dryRuns []string) {
	repo := newRepository(t, files)
	u.converge("--repo", repo.url)
	u.converge("--repo", repo.url) // new kinds change the fingerprints
	before := now(t)
	for n := range visits {
		s := u.converge("--repo", repo.url)
		for _, r := range s.Releases {
			if r.Action != "unchanged" {
				t.Fatalf("visit %d: %s %s: %s", n+1, r.Name, r.Action, r.Why)
			}
		}
	}
	requested := requests(t, before, u)
	if writes := cluster.Writes(requested); len(writes) != 0 {
		t.Errorf("writes: %v", writes)
	}
	counts := map[string]int{}
	for _, r := range requested {
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
	t.Logf("%d requests in %d visits of %d charts", len(requested), visits, strings.Count(files["helmfile.yaml"], "chart:"))
}

// chartsOf makes a chart and a release from every file in a directory. A custom resource needs its CRD.
func chartsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	var helmfile strings.Builder
	helmfile.WriteString("helmDefaults: {createNamespace: false}\nreleases:\n")
	for _, path := range slices.Sorted(maps.Keys(tree(t, filepath.Join("testdata/kinds", dir)))) {
		name := strings.TrimSuffix(path, ".yaml")
		fmt.Fprintf(&helmfile, "- {name: %s, chart: ./charts/%s", name, name)
		if name == "custom-resource" {
			helmfile.WriteString(", needs: [crd]")
		}
		helmfile.WriteString("}\n")
		content, err := os.ReadFile(filepath.Join("testdata/kinds", dir, path))
		if err != nil {
			t.Fatal(err)
		}
		files["charts/"+name+"/Chart.yaml"] = "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"
		files["charts/"+name+"/templates/all.yaml"] = string(content)
	}
	files["helmfile.yaml"] = helmfile.String()
	return files
}

// newAdmin returns a cluster admin with a namespace for the test.
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
