package render

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// bindings returns one line for each Role and RoleBinding, such as "Role agent in blue".
func bindings(all map[string]runtime.Object) (lines []string) {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		switch o := all[key].(type) {
		case *rbac.RoleBinding:
			lines = append(lines, fmt.Sprintf("%s: %s %s for %s/%s", o.Namespace, o.RoleRef.Kind, o.RoleRef.Name, o.Subjects[0].Namespace, o.Subjects[0].Name))
		case *rbac.Role:
			lines = append(lines, o.Namespace+": has "+o.Name)
		}
	}
	return lines
}

func TestRBACModes(t *testing.T) {
	for values, want := range map[string][]string{
		"{}":                              {"shop: has agent", "shop: Role agent for shop/agent"},
		"config: {namespace: blue}":       {"blue: has agent", "blue: Role agent for shop/agent"},
		"rbac: {mode: none}":              nil,
		"rbac: {mode: bind}":              {"shop: ClusterRole edit for shop/agent"},
		"serviceAccount: {name: own}":     {"shop: has agent", "shop: Role agent for shop/own"},
		"serviceAccount: {create: false}": {"shop: has agent", "shop: Role agent for shop/default"},
		"rbac: {mode: bind, roleRef: {kind: Role, name: own}, namespaces: [blue]}": {"blue: Role own for shop/agent", "shop: Role own for shop/agent"},
		"rbac: {namespaces: [shop, blue]}":                                         {"blue: has agent", "shop: has agent", "blue: Role agent for shop/agent", "shop: Role agent for shop/agent"},
	} {
		if diff := cmp.Diff(want, bindings(must(t, given, "fullnameOverride: agent", values))); diff != "" {
			t.Errorf("%s: %s", values, diff)
		}
	}
}

// rightsOf returns the rights of a Role as "verb resource.group/" or "verb resource.group/name".
func rightsOf(role *rbac.Role) map[string]bool {
	rights := map[string]bool{}
	for _, rule := range role.Rules {
		names := rule.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, verb := range rule.Verbs {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, name := range names {
						rights[verb+" "+resource+"."+group+"/"+name] = true
					}
				}
			}
		}
	}
	return rights
}

// TestLeastRole lists the rights in the Role of an agent whose charts contain nothing.
func TestLeastRole(t *testing.T) {
	role := find[*rbac.Role](t, must(t, given, "{rbac: {kinds: []}, config: {instance: own}}"))
	var want []string
	for rights, verbs := range map[string][]string{
		"secrets./":                      {"get", "list", "create", "update", "patch", "delete"},
		"events./":                       {"create"},
		"pods./":                         {"get"},
		"configmaps./":                   {"create"},
		"configmaps./own-state":          {"get", "update", "delete"},
		"leases.coordination.k8s.io/":    {"create"},
		"leases.coordination.k8s.io/own": {"get", "update", "delete"},
	} {
		for _, verb := range verbs {
			want = append(want, verb+" "+rights)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(rightsOf(role)))); diff != "" {
		t.Error(diff)
	}
}

// TestKindsAndRules checks that the Roles in all namespaces grant the listed kinds and rules, and that only the Role in the agent's
// namespace grants rights for the agent's own objects.
func TestKindsAndRules(t *testing.T) {
	all := must(t, given, "{fullnameOverride: agent, rbac: {namespaces: [blue], kinds: [pods, deployments.apps, kinds.my-group.example.com], rules: [{apiGroups: [example.com], resources: [things/status], verbs: [patch], resourceNames: [one]}]}}")
	own, other := rightsOf(all["Role shop/agent"].(*rbac.Role)), rightsOf(all["Role blue/agent"].(*rbac.Role))
	for _, right := range []string{"delete pods./", "patch deployments.apps/", "list kinds.my-group.example.com/", "patch things/status.example.com/one", "delete secrets./", "create events./"} {
		if !own[right] || !other[right] {
			t.Errorf("%s is granted: %t in the agent's namespace, %t in the other", right, own[right], other[right])
		}
	}
	for _, right := range []string{"create leases.coordination.k8s.io/", "get configmaps./agent-state"} {
		if !own[right] || other[right] {
			t.Errorf("%s is granted: %t in the agent's namespace, %t in the other", right, own[right], other[right])
		}
	}
}
