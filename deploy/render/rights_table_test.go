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

// resources are the README's words for what a right is about, as [may] writes it.
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

// TestReadmeTellsTheRole: the chart's Role grants what the README's table of rights says, and nothing else, for each kind that
// changes what Helm needs.
func TestReadmeTellsTheRole(t *testing.T) {
	own, releases := rightsTable(t, "own"), rightsTable(t, "releases")
	for _, kinds := range [][]string{
		{}, {"configmaps"}, {"secrets"}, {"jobs.batch"}, {"pods"}, {"deployments.apps"}, {"replicasets.apps"}, {"replicationcontrollers"},
		{"horizontalpodautoscalers.autoscaling"}, {"things.example.com", "jobs.batch", "pods", "deployments.apps", "replicasets.apps"},
	} {
		list := strings.Join(kinds, ", ")
		both := must(t, given, "fullnameOverride: agent", fmt.Sprintf("{config: {instance: own}, rbac: {kinds: [%s], namespaces: [blue]}}", list))
		apart := must(t, given, "fullnameOverride: agent", fmt.Sprintf("{config: {instance: own}, rbac: {kinds: [%s], namespaces: [blue], releasesInOwnNamespace: false}}", list))
		expectRights(t, "the only namespace", both["Role shop/agent"].(*rbac.Role), slices.Concat(own, releases), kinds)
		expectRights(t, "a namespace of releases", both["Role blue/agent"].(*rbac.Role), releases, kinds)
		expectRights(t, "a namespace of releases alone", apart["Role blue/agent"].(*rbac.Role), releases, kinds)
		expectRights(t, "the agent's namespace alone", apart["Role shop/agent"].(*rbac.Role), own, kinds)
	}
}

func expectRights(t *testing.T, where string, role *rbac.Role, rows []rightsRow, kinds []string) {
	t.Helper()
	want := map[string]bool{}
	for _, row := range rows {
		maps.Copy(want, row.granted(t, kinds))
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(may(role)))); diff != "" {
		t.Errorf("%s, with the kinds %q: the README (-) and the Role (+) differ:\n%s", where, kinds, diff)
	}
}

// rightsRow is a row of the README's table: what the right is about, its verbs, and when the chart grants it.
type rightsRow struct {
	what, inRole string
	verbs        []string
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
			t.Fatalf("this row has not four cells: %s", line)
		}
		rows = append(rows, rightsRow{what: cells[0], verbs: strings.Split(cells[1], ", "), inRole: cells[3]})
	}
	return rows
}

var quoted = regexp.MustCompile("`([^`]+)`")

// granted is what the row says that the chart's Role grants for these kinds.
func (r rightsRow) granted(t *testing.T, kinds []string) map[string]bool {
	t.Helper()
	rights := map[string]bool{}
	for _, about := range r.about(t, kinds) {
		for _, verb := range r.verbs {
			rights[verb+" "+about] = true
		}
	}
	return rights
}

func (r rightsRow) about(t *testing.T, kinds []string) (about []string) {
	t.Helper()
	condition, conditional := strings.CutPrefix(r.inRole, "if `rbac.kinds` has ")
	switch {
	case r.inRole == "no" || strings.HasPrefix(r.inRole, "no: "):
		return nil
	case r.inRole == "yes":
		return []string{known(t, r.what)}
	case conditional && condition == "them":
		for _, kind := range kinds {
			resource, group, _ := strings.Cut(kind, ".")
			about = append(about, resource+"."+group+"/")
		}
		return about
	case !conditional:
		t.Fatalf("the README says of %s: %s", r.what, r.inRole)
	}
	for _, kind := range quoted.FindAllStringSubmatch(condition, -1) {
		if slices.Contains(kinds, kind[1]) {
			return []string{known(t, r.what)}
		}
	}
	return nil
}

func known(t *testing.T, what string) string {
	t.Helper()
	if resources[what] == "" {
		t.Fatalf("the README's table of rights has %q, which this test does not know: add it to resources", what)
	}
	return resources[what]
}
