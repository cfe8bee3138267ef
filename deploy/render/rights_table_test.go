package render

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbac "k8s.io/api/rbac/v1"
)

// resources maps the README's name of a resource to the resource in the result of [rightsOf].
var resources = map[string]string{
	"Secrets":                          "secrets./",
	"Events":                           "events./",
	"ConfigMaps":                       "configmaps./",
	"Leases":                           "leases.coordination.k8s.io/",
	"the ConfigMap `<instance>-state`": "configmaps./own-state",
	"the Lease `<instance>`":           "leases.coordination.k8s.io/own",
	"Jobs":                             "jobs.batch/",
	"Pods":                             "pods./",
	"ReplicaSets":                      "replicasets.apps/",
	"HorizontalPodAutoscalers":         "horizontalpodautoscalers.autoscaling/",
}

// TestReadmeListsTheRole checks that the chart's Role grants exactly the rights in the README's tables, for each kind that changes the
// rights that Helm needs.
func TestReadmeListsTheRole(t *testing.T) {
	own, releases := rightsTable(t, "own"), rightsTable(t, "releases")
	for _, kinds := range [][]string{
		{}, {"configmaps"}, {"secrets"}, {"jobs.batch"}, {"pods"}, {"deployments.apps"}, {"replicasets.apps"}, {"replicationcontrollers"},
		{"horizontalpodautoscalers.autoscaling"}, {"things.example.com", "jobs.batch", "pods", "deployments.apps", "replicasets.apps"},
	} {
		list := strings.Join(kinds, ", ")
		shared := must(t, given, "fullnameOverride: agent", fmt.Sprintf("{config: {instance: own}, rbac: {kinds: [%s], namespaces: [blue]}}", list))
		separate := must(t, given, "fullnameOverride: agent", fmt.Sprintf("{config: {instance: own}, rbac: {kinds: [%s], namespaces: [blue], releasesInOwnNamespace: false}}", list))
		expectRights(t, "the only namespace", shared["Role shop/agent"].(*rbac.Role), slices.Concat(own, releases), kinds)
		expectRights(t, "a namespace of releases", shared["Role blue/agent"].(*rbac.Role), releases, kinds)
		expectRights(t, "a namespace of releases alone", separate["Role blue/agent"].(*rbac.Role), releases, kinds)
		expectRights(t, "the agent's namespace alone", separate["Role shop/agent"].(*rbac.Role), own, kinds)
	}
}

func expectRights(t *testing.T, where string, role *rbac.Role, rows []rightsRow, kinds []string) {
	t.Helper()
	want := map[string]bool{}
	for _, row := range rows {
		maps.Copy(want, row.granted(t, kinds))
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(rightsOf(role)))); diff != "" {
		t.Errorf("%s, with the kinds %q: the README (-) and the Role (+) differ:\n%s", where, kinds, diff)
	}
}

// rightsRow is a row of the README's table: the resource, its verbs, and when the chart grants them.
type rightsRow struct {
	resource, inRole string
	verbs            []string
}

func rightsTable(t *testing.T, name string) (rows []rightsRow) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(readme), "<!-- rights: "+name+" -->\n")
	table, _, found := strings.Cut(after, "<!-- /rights -->")
	if !found {
		t.Fatalf("README.md has no table of rights %q", name)
	}
	for _, line := range strings.Split(strings.TrimSpace(table), "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 4 {
			t.Fatalf("this row does not have four cells: %s", line)
		}
		rows = append(rows, rightsRow{resource: cells[0], verbs: strings.Split(cells[1], ", "), inRole: cells[3]})
	}
	return rows
}

var quoted = regexp.MustCompile("`([^`]+)`")

// granted returns the rights in the chart's Role for these kinds, by this row.
func (r rightsRow) granted(t *testing.T, kinds []string) map[string]bool {
	t.Helper()
	rights := map[string]bool{}
	for _, resource := range r.resources(t, kinds) {
		for _, verb := range r.verbs {
			rights[verb+" "+resource] = true
		}
	}
	return rights
}

func (r rightsRow) resources(t *testing.T, kinds []string) (found []string) {
	t.Helper()
	condition, conditional := strings.CutPrefix(r.inRole, "if `rbac.kinds` has ")
	switch {
	case r.inRole == "no" || strings.HasPrefix(r.inRole, "no: "):
		return nil
	case r.inRole == "yes":
		return []string{resourceOf(t, r.resource)}
	case conditional && condition == "them":
		for _, kind := range kinds {
			resource, group, _ := strings.Cut(kind, ".")
			found = append(found, resource+"."+group+"/")
		}
		return found
	case !conditional:
		t.Fatalf("the README has a condition for %s that this test does not know: %s", r.resource, r.inRole)
	}
	for _, kind := range quoted.FindAllStringSubmatch(condition, -1) {
		if slices.Contains(kinds, kind[1]) {
			return []string{resourceOf(t, r.resource)}
		}
	}
	return nil
}

func resourceOf(t *testing.T, name string) string {
	t.Helper()
	if resources[name] == "" {
		t.Fatalf("the README's table of rights has %q, which this test does not know: add it to resources", name)
	}
	return resources[name]
}
