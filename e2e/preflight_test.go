package e2e

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authorization "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

// TestPreflightRoleInREADME checks that the Role in the README is enough for the quickstart example.
func TestPreflightRoleInREADME(t *testing.T) {
	t.Parallel()
	readme := must(os.ReadFile("../README.md"))(t)
	_, after, _ := strings.Cut(string(readme), "<!-- role -->\n```yaml\n")
	text, _, _ := strings.Cut(after, "```")
	var role rbac.Role
	check(t, yaml.UnmarshalStrict([]byte(text), &role))

	u := withRole(t, role.Rules...)
	repo := newRepository(t, tree(t, "../examples/quickstart"))
	expectActions(t, u.converge("--repo", repo.url), "database install done 1", "web install done 1", "worker install done 1")
	repo.commit(t, files{"values/database.yaml": tree(t, "../examples/quickstart")["values/database.yaml"] + "replicas: 3\n"}, "scale")
	expectActions(t, u.converge("--repo", repo.url), "database upgrade done 2", "web unchanged done 1", "worker unchanged done 1")

	ctx, objects := t.Context(), client(t)
	check(t, objects.CoreV1().ConfigMaps(u.namespace).Delete(ctx, "web", meta.DeleteOptions{}))
	_, err := objects.AppsV1().Deployments(u.namespace).Patch(ctx, "web", types.MergePatchType, []byte(`{"spec":{"replicas":7}}`), meta.PatchOptions{})
	check(t, err)
	expectActions(t, u.converge("--repo", repo.url), "database unchanged done 2", "web correct done 1", "worker unchanged done 1")

	repo.commit(t, files{"helmfile.yaml": "releases:\n- {name: worker, chart: ./charts/app, installed: false}\n"}, "fewer")
	expectActions(t, u.converge("--repo", repo.url, "--prune-max-share", "100"), "database mark done 2", "web mark done 1", "worker uninstall done 0")
	expectActions(t, u.converge("--repo", repo.url, "--prune-max-share", "100"), "database prune done 0", "web prune done 0", "worker unchanged done 0")
}

// records has the rights that every run needs for itself.
var records = []rbac.PolicyRule{
	{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "list", "create", "update", "patch", "delete"}},
	{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}},
	{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"helmfile-agent-state"}, Verbs: []string{"get", "update"}},
	{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create"}},
	{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create"}},
	{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, ResourceNames: []string{"helmfile-agent"}, Verbs: []string{"get", "update"}},
}

func may(group, resource string, verbs ...string) rbac.PolicyRule {
	return rbac.PolicyRule{APIGroups: []string{group}, Resources: []string{resource}, Verbs: verbs}
}

// preflights has commits of a tenant with few rights. Each case lists the missing rights of the commits; the list is empty if no right is
// missing. The granted rights are exactly those that the commits need.
var preflights = map[string]struct {
	granted []rbac.PolicyRule
	commits []files
	missing [][]string
}{
	"all that is done to an object": {
		granted: nil,
		commits: []files{ownRelease("", text)},
		missing: [][]string{{"get configmaps"}},
	},
	"forced changes are updates": {
		granted: []rbac.PolicyRule{may("", "configmaps", "get", "list", "patch")},
		commits: []files{ownRelease("", text), ownRelease("force: true", text+"  more: x\n")},
		missing: [][]string{nil, {"update configmaps"}},
	},
	"forced changes need no patch": {
		granted: []rbac.PolicyRule{may("", "configmaps", "get", "list", "update")},
		commits: []files{ownRelease("", text), ownRelease("force: true", text+"  more: x\n")},
		missing: [][]string{nil, nil},
	},
	"single objects that a Role names": {
		granted: []rbac.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"own"}, Verbs: []string{"get", "patch", "delete"}},
		},
		commits: []files{ownRelease("", text), ownRelease("", text+"  more: x\n"), ownRelease("installed: false", text)},
		missing: [][]string{nil, nil, nil},
	},
	"other objects than a Role names": {
		granted: []rbac.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"other"}, Verbs: []string{"get", "patch", "delete"}},
		},
		commits: []files{ownRelease("", text)},
		missing: [][]string{{"get configmaps"}},
	},
	"hooks come, are watched and go": {
		granted: []rbac.PolicyRule{may("", "configmaps", "get", "list"), may("batch", "jobs", "create")},
		commits: []files{ownRelease("", hook)},
		missing: [][]string{{"delete jobs.batch", "get jobs.batch", "list jobs.batch", "watch jobs.batch"}},
	},
	"hooks that are off": {
		granted: []rbac.PolicyRule{may("", "configmaps", "get", "list")},
		commits: []files{ownRelease("", text+"---\n"+hook).and("helmfile.yaml", "helmDefaults:\n  syncArgs: [--no-hooks]\nreleases:\n- {name: own, chart: ./charts/own}\n")},
		missing: [][]string{nil},
	},
	"what is waited for": {
		granted: []rbac.PolicyRule{may("apps", "deployments", "get", "list")},
		commits: []files{ownRelease("wait: true", deployment)},
		missing: [][]string{{"create deployments.apps", "list replicasets.apps"}},
	},
	"what is atomic may have to go again": {
		granted: []rbac.PolicyRule{may("", "configmaps", "get", "list")},
		commits: []files{ownRelease("atomic: true", text)},
		missing: [][]string{{"delete configmaps"}},
	},
	"definitions of kinds": {
		granted: []rbac.PolicyRule{may("", "configmaps", "get", "list")},
		commits: []files{ownRelease("", text).and("charts/own/crds/kind.yaml", kindDefinition("preflight"))},
		missing: [][]string{{"create customresourcedefinitions.apiextensions.k8s.io (cluster-scoped)", "get customresourcedefinitions.apiextensions.k8s.io (cluster-scoped)"}},
	},
	"definitions of kinds that are left out": {
		granted: []rbac.PolicyRule{may("", "configmaps", "get", "list")},
		commits: []files{ownRelease("", text).and("charts/own/crds/kind.yaml", kindDefinition("preflight")).
			and("helmfile.yaml", "helmDefaults: {skipCRDs: true}\nreleases:\n- {name: own, chart: ./charts/own}\n")},
		missing: [][]string{nil},
	},
	"what goes": {
		granted: []rbac.PolicyRule{may("", "configmaps", "get", "list")},
		commits: []files{ownRelease("", text), ownRelease("installed: false", text)},
		missing: [][]string{nil, {"delete configmaps"}},
	},
	"what stays when its release goes": {
		granted: []rbac.PolicyRule{may("", "configmaps", "get", "list")},
		commits: []files{ownRelease("", kept), ownRelease("installed: false", kept)},
		missing: [][]string{nil, nil},
	},
}

const kept = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  annotations: {helm.sh/resource-policy: keep}\n"

// ownRelease returns a helmfile with one release. Its chart has one template.
func ownRelease(line, template string) files {
	return files{
		"helmfile.yaml":                 "releases:\n- name: own\n  chart: ./charts/own\n  " + line + "\n",
		"charts/own/Chart.yaml":         "apiVersion: v2\nname: own\nversion: 1.0.0\n",
		"charts/own/templates/all.yaml": template,
	}
}

// TestPreflight checks that the agent requires exactly the rights that Helm uses. A run that passes the check must not fail for a missing
// right.
func TestPreflight(t *testing.T) {
	t.Parallel()
	for name, test := range preflights {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := withRole(t, append(slices.Clone(records), test.granted...)...)
			repo := newRepository(t, test.commits[0])
			for i, commit := range test.commits {
				if i > 0 {
					repo.commit(t, commit, "next")
				}
				before := recordsOf(t, u.namespace)
				s, r := u.agent("run", "--repo", repo.url)
				expectMissing(t, r, s, test.missing[i])
				if after := recordsOf(t, u.namespace); len(test.missing[i]) > 0 && !slices.Equal(before, after) {
					t.Errorf("something was changed: %q became %q", before, after)
				}
			}
		})
	}
}

// expectMissing compares the missing rights in the message, without the namespace and the release.
func expectMissing(t *testing.T, r result, s summary, want []string) {
	t.Helper()
	var got []string
	for _, line := range strings.Split(s.Error, "\n") {
		if right, found := strings.CutSuffix(line, " (for "+namespaceOf(s)+"/own)"); found {
			right, _, _ = strings.Cut(strings.TrimSpace(right), " in namespace ")
			got = append(got, right)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, r)
	}
	if code := map[bool]int{true: converged, false: forbidden}[len(want) == 0]; r.code != code {
		t.Errorf("want exit code %d: %s", code, r)
	}
}

func namespaceOf(s summary) string {
	if len(s.Releases) == 0 {
		return ""
	}
	return s.Releases[0].Namespace
}

// TestPreflightOwnNamespace checks that the agent reads its own namespace even if it has no releases there, and that the error has the
// reason.
func TestPreflightOwnNamespace(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	own := withRole(t, may("", "configmaps", "get"))
	repo := newRepository(t, ownRelease("namespace: "+u.namespace, text))
	_, err := client(t).RbacV1().RoleBindings(u.namespace).Create(t.Context(), binding("ClusterRole", "admin", own.user), meta.CreateOptions{})
	check(t, err)
	awaitRight(t, own.user, u.namespace, "create", "configmaps")
	s, r := own.agent("run", "--repo", repo.url)
	if r.code != forbidden || !strings.Contains(s.Error, "it is the agent's own (--namespace): its state is stored there") {
		t.Errorf("want a refusal that says why the namespace is read: %s", r)
	}
}

// TestPreflightOfKindsFromTheCommit has a release that defines a kind, and another one that needs the first and uses the kind in the same
// run.
func TestPreflightOfKindsFromTheCommit(t *testing.T) { // not in parallel: new kinds would cause changes in other tests
	u, plural := newAdministrator(t)
	repo := newRepository(t, usesKind(plural, kindDefinition(plural)))
	expectActions(t, u.converge("--repo", repo.url), "own install done 1", "uses install done 1")
	u.converge("--repo", repo.url) // relabels the releases, because the cluster has more kinds now
	expectActions(t, u.converge("--repo", repo.url), "own unchanged done 1", "uses unchanged done 1")
}

// TestPreflightOfKindsDefinedDuringTheRun has another client that defines a kind while one release is installed. The next release uses
// the kind.
func TestPreflightOfKindsDefinedDuringTheRun(t *testing.T) { // not in parallel: new kinds would cause changes in other tests
	u, plural := newAdministrator(t)
	repo := newRepository(t, usesKind(plural, hook))
	jobs, ctx := client(t).BatchV1().Jobs(u.namespace), t.Context()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defineBetween(t, func() error { _, err := jobs.Get(ctx, "own", meta.GetOptions{}); return err }, kindDefinition(plural))
		_ = jobs.Delete(ctx, "own", meta.DeleteOptions{}) // the hook ends when its Job is deleted
	}()
	expectActions(t, u.converge("--repo", repo.url), "own install done 1", "uses install done 1")
	<-done
}

// newAdministrator returns a user who may define kinds, and a text that no other test uses.
func newAdministrator(t *testing.T) (u tenant, unique string) {
	t.Helper()
	u = newTenant(t)
	u.kubeconfig = must(control.Kubeconfig(cluster.Admin, u.namespace))(t)
	return u, "kinds" + u.namespace[strings.LastIndex(u.namespace, "-")+1:]
}

// usesKind returns a helmfile with two releases: one with the template, and one that needs the first and has an object of the kind.
func usesKind(group, template string) files {
	return ownRelease("", template).
		and("helmfile.yaml", "releases:\n- {name: own, chart: ./charts/own}\n- {name: uses, chart: ./charts/uses, needs: [own]}\n").
		and("charts/uses/Chart.yaml", "apiVersion: v2\nname: uses\nversion: 1.0.0\n").
		and("charts/uses/templates/one.yaml", "apiVersion: "+group+".example.com/v1\nkind: Kind\nmetadata: {name: one}\n")
}

// defineBetween applies a definition when ready returns no error. It returns when the API server serves the kind.
func defineBetween(t *testing.T, ready func() error, definition string) {
	definitions := must(dynamic.NewForConfig(control.Config()))(t).Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	for until := time.Now().Add(soon); ready() != nil && time.Now().Before(until); {
		time.Sleep(20 * time.Millisecond)
	}
	var object unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(definition), &object.Object); err != nil {
		t.Error(err)
	}
	if _, err := definitions.Create(t.Context(), &object, meta.CreateOptions{}); err != nil {
		t.Error(err)
	}
	time.Sleep(2 * time.Second) // longer than the API server needs to serve the kind
}

// TestPreflightDiffNamesDefinitions checks that diff lists the CRDs that a chart would install.
func TestPreflightDiffNamesDefinitions(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	repo := newRepository(t, ownRelease("", text).and("charts/own/crds/kind.yaml", kindDefinition("named")))
	s, r := u.agent("diff", "--repo", repo.url)
	if r.code != converged || len(s.Releases) != 1 || s.Releases[0].Why != "not installed yet; installs the CRDs kinds.named.example.com" {
		t.Errorf("the CRDs are not named: %s", r)
	}
}

func kindDefinition(group string) string {
	return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: kinds.` + group + `.example.com
spec:
  group: ` + group + `.example.com
  names: {kind: Kind, plural: kinds, singular: kind}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
`
}

// withRole returns a user who has only these rights, in a new namespace.
func withRole(t *testing.T, rules ...rbac.PolicyRule) tenant {
	t.Helper()
	u := newTenant(t)
	u.namespace += "-role"
	ctx, admin := t.Context(), client(t)
	_, err := admin.CoreV1().Namespaces().Create(ctx, &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: u.namespace}}, meta.CreateOptions{})
	check(t, err)
	_, err = admin.RbacV1().Roles(u.namespace).Create(ctx, &rbac.Role{ObjectMeta: meta.ObjectMeta{Name: "least"}, Rules: rules}, meta.CreateOptions{})
	check(t, err)
	_, err = admin.RbacV1().RoleBindings(u.namespace).Create(ctx, binding("Role", "least", u.user), meta.CreateOptions{})
	check(t, err)
	u.kubeconfig = must(control.Kubeconfig(u.user, u.namespace))(t)
	awaitRight(t, u.user, u.namespace, rules[0].Verbs[0], rules[0].Resources[0])
	return u
}

func binding(kind, role, user string) *rbac.RoleBinding {
	return &rbac.RoleBinding{
		ObjectMeta: meta.ObjectMeta{Name: "bound-" + strings.ToLower(kind)},
		RoleRef:    rbac.RoleRef{APIGroup: rbac.GroupName, Kind: kind, Name: role},
		Subjects:   []rbac.Subject{{APIGroup: rbac.GroupName, Kind: rbac.UserKind, Name: user}},
	}
}

// awaitRight returns when a binding is in force in the API server.
func awaitRight(t *testing.T, user, namespace, verb, resource string) {
	t.Helper()
	review := &authorization.SubjectAccessReview{Spec: authorization.SubjectAccessReviewSpec{
		User: user, ResourceAttributes: &authorization.ResourceAttributes{Namespace: namespace, Verb: verb, Resource: resource},
	}}
	for until := time.Now().Add(soon); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		answer, err := client(t).AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, meta.CreateOptions{})
		check(t, err)
		if answer.Status.Allowed {
			return
		}
	}
	t.Fatalf("%s may not %s %s in %s in time", user, verb, resource, namespace)
}

// recordsOf returns the names and versions of Helm's records.
func recordsOf(t *testing.T, namespace string) []string {
	t.Helper()
	secrets, err := client(t).CoreV1().Secrets(namespace).List(t.Context(), meta.ListOptions{})
	check(t, err)
	var all []string
	for _, secret := range secrets.Items {
		all = append(all, secret.Name+" "+secret.ResourceVersion)
	}
	return all
}

func expectActions(t *testing.T, s summary, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.actions()); diff != "" {
		t.Error(diff)
	}
}
