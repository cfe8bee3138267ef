package e2e

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

// TestQuickstart installs the example, checks that the next run writes nothing, and changes one value.
func TestQuickstart(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	files := tree(t, "../examples/quickstart")
	repo := newRepository(t, files)

	t.Log("the first run installs everything")
	first := u.converge("--repo", repo.url)
	want := []string{"database install done 1", "web install done 1", "worker install done 1"}
	if diff := gocmp.Diff(want, first.actions()); diff != "" {
		t.Error(diff)
	}

	t.Log("the second run writes nothing at all")
	before := now(t)
	second := u.converge("--repo", repo.url)
	want = []string{"database unchanged done 1", "web unchanged done 1", "worker unchanged done 1"}
	if diff := gocmp.Diff(want, second.actions()); diff != "" {
		t.Error(diff)
	}
	if writes := cluster.Writes(requests(t, before, u)); len(writes) != 0 {
		t.Errorf("writes of a run with nothing to do: %v", writes)
	}

	t.Log("a commit that changes one value upgrades one release by one revision")
	files["environment.yaml"] = strings.Replace(files["environment.yaml"], "webReplicas: 1", "webReplicas: 2", 1)
	repo.commit(t, files, "two web servers")
	third := u.converge("--repo", repo.url)
	want = []string{"database unchanged done 1", "web upgrade done 2", "worker unchanged done 1"}
	if diff := gocmp.Diff(want, third.actions()); diff != "" {
		t.Error(diff)
	}
	if third.Source.Subject != "two web servers" || third.Source.Commit == first.Source.Commit {
		t.Errorf("the report names the wrong commit: %+v", third.Source)
	}

	t.Log("the real helm sees ordinary releases")
	contains(t, u.helm("list"), "web", "deployed", "app-1.0.0")
	contains(t, u.helm("history", "web"), "superseded", "Install complete", "deployed", "Upgrade complete")
	contains(t, u.helm("get", "manifest", "web"), "kind: Deployment", "replicas: 2", "kind: ConfigMap", "kind: Service")
	contains(t, u.helm("get", "values", "web"), "replicas: 2", "url: https://shop.example.com")
}

// TestRequestsWithNothingToDo lists every request of a run without changes to the API server.
func TestRequestsWithNothingToDo(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	repo := newRepository(t, tree(t, "../examples/quickstart"))
	u.converge("--repo", repo.url)
	before := now(t)
	u.converge("--repo", repo.url)
	var requested []string
	for _, r := range requests(t, before, u) {
		requested = append(requested, r.Verb+" "+cmp.Or(r.Resource, strings.SplitN(r.URI, "?", 2)[0]))
	}
	slices.Sort(requested)
	want := []string{"get /api", "get /apis", "get /version", "get configmaps", "get leases", "list configmaps", "list deployments", "list secrets", "list services"}
	if diff := gocmp.Diff(want, requested); diff != "" {
		t.Error(diff)
	}
}

// helm runs the real helm as the tenant.
func (u tenant) helm(args ...string) string {
	u.t.Helper()
	r := u.run("", "helm", append(args, "--namespace", u.namespace)...)
	if r.code != 0 {
		u.t.Fatalf("helm %v: %s", args, r)
	}
	return r.stdout
}

func now(t *testing.T) cluster.Position {
	t.Helper()
	position, err := control.Audit.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return position
}

// requests returns the requests of the tenant's processes in its namespace or without a namespace. Other tests may use the same user in
// other namespaces.
func requests(t *testing.T, since cluster.Position, u tenant) []cluster.Request {
	t.Helper()
	all, err := control.Audit.Requests(t.Context(), since, u.user)
	if err != nil {
		t.Fatal(err)
	}
	var own []cluster.Request
	for _, r := range all {
		if r.Namespace == u.namespace || r.Namespace == "" {
			own = append(own, r)
		}
	}
	return own
}
