package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// newRestricted returns a tenant who is admin of one namespace that enforces the Pod Security profile restricted.
func newRestricted(t *testing.T) tenant {
	t.Helper()
	u := newTenant(t)
	patch := []byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`)
	_, err := client(t).CoreV1().Namespaces().Patch(t.Context(), u.namespace, types.MergePatchType, patch, meta.PatchOptions{})
	check(t, err)
	return u
}

// mustHelm runs the real helm, and fails the test if helm fails.
func (u tenant) mustHelm(args ...string) result {
	u.t.Helper()
	r := u.run("", "helm", append(args, "--namespace", u.namespace)...)
	if r.code != 0 {
		u.t.Fatalf("helm %s: %s", strings.Join(args, " "), r)
	}
	return r
}

// chartDir returns the absolute path of the chart. It contains no comma.
func chartDir(t *testing.T) string { return must(filepath.Abs("../chart"))(t) }

// TestChartLint runs `helm lint --strict` on the chart, with and without values.
func TestChartLint(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	for _, set := range []string{"config.repo=https://git.example.com/shop/config", "rbac.mode=bind", "rbac.mode=none"} {
		r := u.mustHelm("lint", "--strict", chartDir(t), "--set", "config.repo=git@git.example.com:shop,"+set)
		if !strings.Contains(r.stdout, "0 chart(s) failed") || strings.Contains(r.stdout, "[WARNING]") {
			t.Errorf("lint: %s", r)
		}
	}
}

// TestChartLifecycle checks that a tenant can install, upgrade and uninstall the chart, and that no object remains.
func TestChartLifecycle(t *testing.T) {
	t.Parallel()
	u := newRestricted(t)
	before := inventory(t, u.namespace)
	set := "config.repo=https://git.example.com/shop/config,networkPolicy.enabled=true,dashboard.enabled=true"
	notes := u.mustHelm("install", "shop", chartDir(t), "--set", set)
	if !strings.Contains(notes.stdout, "helm test shop -n "+u.namespace) {
		t.Errorf("the notes are missing: %s", notes)
	}
	expectInventory(t, u.namespace, before,
		"configmaps/shop-helmfile-agent-config", "configmaps/shop-helmfile-agent-dashboard", "cronjobs.batch/shop-helmfile-agent",
		"networkpolicies.networking.k8s.io/shop-helmfile-agent", "rolebindings.rbac.authorization.k8s.io/shop-helmfile-agent",
		"roles.rbac.authorization.k8s.io/shop-helmfile-agent", "secrets/sh.helm.release.v1.shop.v1", "serviceaccounts/shop-helmfile-agent")

	u.mustHelm("upgrade", "shop", chartDir(t), "--set", "config.repo=https://git.example.com/shop/other,cronjob.suspend=true,rbac.mode=bind")
	expectInventory(t, u.namespace, before,
		"configmaps/shop-helmfile-agent-config", "cronjobs.batch/shop-helmfile-agent", "rolebindings.rbac.authorization.k8s.io/shop-helmfile-agent-clusterrole-edit",
		"secrets/sh.helm.release.v1.shop.v1", "secrets/sh.helm.release.v1.shop.v2", "serviceaccounts/shop-helmfile-agent")

	u.mustHelm("upgrade", "shop", chartDir(t), "--set", "config.repo=https://git.example.com/shop/other,rbac.mode=bind,rbac.roleRef.name=admin")
	expectInventory(t, u.namespace, before,
		"configmaps/shop-helmfile-agent-config", "cronjobs.batch/shop-helmfile-agent", "rolebindings.rbac.authorization.k8s.io/shop-helmfile-agent-clusterrole-admin",
		"secrets/sh.helm.release.v1.shop.v1", "secrets/sh.helm.release.v1.shop.v2", "secrets/sh.helm.release.v1.shop.v3", "serviceaccounts/shop-helmfile-agent")

	u.mustHelm("uninstall", "shop")
	expectInventory(t, u.namespace, before)
}

// TestChartKeepsObjects checks that objects in `keep` stay, and that another installation of the same name takes them over and removes
// them.
func TestChartKeepsObjects(t *testing.T) {
	t.Parallel()
	u := newRestricted(t)
	before := inventory(t, u.namespace)
	set := "config.repo=https://git.example.com/shop/config,keep={ServiceAccount,Role,RoleBinding}"
	u.mustHelm("install", "shop", chartDir(t), "--set", set)
	u.mustHelm("uninstall", "shop")
	expectInventory(t, u.namespace, before, "rolebindings.rbac.authorization.k8s.io/shop-helmfile-agent",
		"roles.rbac.authorization.k8s.io/shop-helmfile-agent", "serviceaccounts/shop-helmfile-agent")
	u.mustHelm("install", "shop", chartDir(t), "--set", "config.repo=https://git.example.com/shop/config")
	u.mustHelm("uninstall", "shop")
	expectInventory(t, u.namespace, before)
}

// TestTwoAgentsInOneNamespace checks that two agents in one namespace share no objects.
func TestTwoAgentsInOneNamespace(t *testing.T) {
	t.Parallel()
	u := newRestricted(t)
	before := inventory(t, u.namespace)
	u.mustHelm("install", "blue", chartDir(t), "--set", "config.repo=https://git.example.com/shop/blue,config.timeout=1m")
	u.mustHelm("install", "green", chartDir(t), "--set", "config.repo=https://git.example.com/shop/green")
	u.mustHelm("uninstall", "blue")
	expectInventory(t, u.namespace, before,
		"configmaps/green-helmfile-agent-config", "cronjobs.batch/green-helmfile-agent", "rolebindings.rbac.authorization.k8s.io/green-helmfile-agent",
		"roles.rbac.authorization.k8s.io/green-helmfile-agent", "secrets/sh.helm.release.v1.green.v1", "serviceaccounts/green-helmfile-agent")
}
