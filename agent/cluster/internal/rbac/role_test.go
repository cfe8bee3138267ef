package rbac

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbac "k8s.io/api/rbac/v1"
)

const roleInShop = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: agent-SUM
  namespace: shop
rules:
- apiGroups:
  - ""
  resourceNames:
  - agent-state
  resources:
  - configmaps
  verbs:
  - get
  - update
- apiGroups:
  - ""
  resources:
  - configmaps
  - services
  verbs:
  - get
  - patch
- apiGroups:
  - apps
  resources:
  - deployments
  verbs:
  - create
`

const bindingInShop = `---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: agent-SUM
  namespace: shop
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: agent-SUM
subjects:
- kind: ServiceAccount
  name: agent
  namespace: shop
`

const clusterWideNote = `# No Role can grant this; an administrator of the cluster can, with a ClusterRole:
#   get namespaces (cluster-scoped)
`

func TestRoleThatGrantsMissingRights(t *testing.T) {
	inShop := []right{
		rightTo("patch", "configmaps", "settings"), rightTo("get", "configmaps", "settings"),
		rightTo("get", "services", "web"), rightTo("patch", "services", "web"), rightTo("get", "services", "db"),
		{"create", "apps", "deployments", "shop", "web"},
		rightTo("update", "configmaps", "agent-state"), rightTo("get", "configmaps", "agent-state"),
	}
	wide := []right{{"get", "", "namespaces", "", "a"}, {"get", "", "namespaces", "", "b"}}
	account := subjectOf("system:serviceaccount:shop:agent")
	for name, test := range map[string]struct {
		rights []right
		to     *rbac.Subject
		want   string
	}{
		"no right is missing":                   {nil, account, ""},
		"the agent does not know who it is":     {inShop, nil, roleInShop},
		"a Role and its binding to the agent":   {inShop, account, roleInShop + bindingInShop},
		"what a Role cannot grant is a comment": {wide, account, clusterWideNote},
	} {
		t.Run(name, func(t *testing.T) {
			got := (&apiServer{}).reviewer().grant(test.rights, test.to)
			if diff := cmp.Diff(test.want, withoutSum(got)); diff != "" {
				t.Errorf("YAML (-want +got):\n%s", diff)
			}
		})
	}
}

// withoutSum replaces the check sum in the names of Roles.
func withoutSum(yaml string) string {
	_, after, _ := strings.Cut(yaml, "name: agent-")
	sum, _, _ := strings.Cut(after, "\n")
	if sum == "" {
		return yaml
	}
	return strings.ReplaceAll(yaml, "agent-"+sum, "agent-SUM")
}

func TestANameOfARoleDependsOnWhatItGrants(t *testing.T) {
	nameOf := func(rights ...right) string {
		_, after, _ := strings.Cut((&apiServer{}).reviewer().grant(rights, nil), "name: ")
		name, _, _ := strings.Cut(after, "\n")
		return name
	}
	get, patch := rightTo("get", "configmaps", "a"), rightTo("patch", "configmaps", "a")
	if nameOf(get, patch) != nameOf(patch, get) {
		t.Error("the order of the rights changes the name")
	}
	if nameOf(get) == nameOf(get, patch) {
		t.Error("Roles that grant different rights have the same name: to apply the second would take rights away")
	}
}

func TestSubjectOfARoleBinding(t *testing.T) {
	for user, want := range map[string]rbac.Subject{
		"system:serviceaccount:shop:agent": {Kind: "ServiceAccount", Namespace: "shop", Name: "agent"},
		"system:serviceaccount:odd":        {Kind: "User", APIGroup: "rbac.authorization.k8s.io", Name: "system:serviceaccount:odd"},
		"jane@example.com":                 {Kind: "User", APIGroup: "rbac.authorization.k8s.io", Name: "jane@example.com"},
	} {
		t.Run(user, func(t *testing.T) {
			if diff := cmp.Diff(&want, subjectOf(user)); diff != "" {
				t.Errorf("subject (-want +got):\n%s", diff)
			}
		})
	}
}
