package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authorization "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

// accessible returns a helmfile with several kinds, hooks, a custom resource and two namespaces.
func accessible(group, second string) files {
	return ownRelease("", text+"---\n"+deployment+"---\napiVersion: "+group+".example.com/v1\nkind: Kind\nmetadata: {name: one}\n---\n"+
		"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: hooked, annotations: {helm.sh/hook: \"pre-install,post-delete\", helm.sh/hook-delete-policy: before-hook-creation}}\n").
		and("helmfile.yaml", "releases:\n- {name: own, chart: ./charts/own, wait: false, values: [{n: 1}]}\n- {name: away, chart: ./charts/away, namespace: "+second+"}\n").
		and("charts/away/Chart.yaml", "apiVersion: v2\nname: away\nversion: 1.0.0\n").
		and("charts/away/templates/all.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: away}\nspec: {ports: [{port: {{ .Values.port | default 80 }}}]}\n")
}

// TestAccessGrantsWhatIsMissing runs access as a user without rights. An administrator applies the printed Roles. Then no right is missing,
// and the user can install, upgrade and uninstall the releases.
func TestAccessGrantsWhatIsMissing(t *testing.T) { // not in parallel: new kinds would cause changes in other tests
	u := newUserWithoutRights(t)
	group := defineKind(t, u)
	second := newNamespace(t, u.namespace+"-second")
	repo := newRepository(t, accessible(group, second))

	since := now(t)
	s, r := u.agent("access", "--repo", repo.url)
	if r.code != forbidden || s.Grant == "" {
		t.Fatal(r)
	}
	if wrote := cluster.Writes(requests(t, since, u)); len(wrote) > 0 {
		t.Errorf("wrote: %v", wrote)
	}
	want := []string{
		u.namespace + " configmaps get list create patch delete",
		u.namespace + " configmaps/helmfile-agent-state get create update",
		u.namespace + " deployments.apps get list create patch delete",
		u.namespace + " events create",
		u.namespace + " kinds." + group + ".example.com get list create patch delete",
		u.namespace + " leases.coordination.k8s.io/helmfile-agent get create update",
		u.namespace + " pods get",
		u.namespace + " secrets get list create update patch delete",
		u.namespace + " serviceaccounts get create delete",
		second + " events create",
		second + " secrets get list create update patch delete",
		second + " services get list create patch delete",
	}
	if diff := cmp.Diff(want, refusedIn(t, r)); diff != "" {
		t.Errorf("%s\n%s", diff, r)
	}

	u.grant(s.Grant)
	if s, r = u.agent("access", "--repo", repo.url); r.code != converged || s.Grant != "" {
		t.Fatalf("what was printed was not enough: %s", r)
	}
	expectActions(t, u.converge("--repo", repo.url), "own install done 1", "away install done 1")
	repo.commit(t, files{
		"charts/own/templates/all.yaml":  strings.Replace(accessible(group, second)["charts/own/templates/all.yaml"], "text: third", "text: fourth", 1),
		"charts/away/templates/all.yaml": strings.Replace(accessible(group, second)["charts/away/templates/all.yaml"], "default 80", "default 81", 1),
	}, "changes")
	expectActions(t, u.converge("--repo", repo.url), "own upgrade done 2", "away upgrade done 2")
	check(t, client(t).CoreV1().ConfigMaps(u.namespace).Delete(t.Context(), "own", meta.DeleteOptions{}))
	expectActions(t, u.converge("--repo", repo.url), "own correct done 2", "away unchanged done 2")
	repo.commit(t, files{"helmfile.yaml": "releases:\n- {name: own, chart: ./charts/own, installed: false}\n- {name: away, chart: ./charts/away, installed: false, namespace: " + second + "}\n"}, "gone")
	if _, r = u.agent("access", "--repo", repo.url); r.code != converged {
		t.Errorf("the last commit needs rights that are missing: %s", r)
	}
	expectActions(t, u.converge("--repo", repo.url), "own uninstall done 0", "away uninstall done 0")
}

// TestAccessRequestsDoNotGrow checks that the number of requests depends on the kinds and namespaces and not on the number of releases,
// both with all rights and without rights.
func TestAccessRequestsDoNotGrow(t *testing.T) {
	t.Parallel()
	for name, identity := range map[string]func(*testing.T) tenant{
		"with all rights":          func(t *testing.T) tenant { return newTenant(t) },
		"where nothing is allowed": newUserWithoutRights,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			few, many := reviews(t, identity(t), 2), reviews(t, identity(t), 40)
			if few != many || few == 0 {
				t.Errorf("%d access reviews for 2 releases, %d for 40", few, many)
			}
		})
	}
}

func reviews(t *testing.T, u tenant, releases int) int {
	t.Helper()
	helmfile := strings.Builder{}
	helmfile.WriteString("releases:\n")
	for i := range releases {
		fmt.Fprintf(&helmfile, "- {name: app-%d, chart: ./charts/own}\n", i)
	}
	repo := newRepository(t, ownRelease("", fourKinds["templates/all.yaml"]).and("helmfile.yaml", helmfile.String()))
	since := now(t)
	u.agent("access", "--repo", repo.url)
	return len(cluster.Select(requests(t, since, u), cluster.Request{Verb: "create", Resource: "selfsubjectaccessreviews"}))
}

// TestAccess runs access as an admin of one namespace.
func TestAccess(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		commit files
		args   []string
		code   int
		says   []string
	}{
		"all is allowed": {commit: ownRelease("", text), says: []string{"0 missing"}},
		"a right that a Role cannot grant": {
			commit: ownRelease("", text).and("charts/own/crds/kind.yaml", kindDefinition("access")), code: forbidden,
			says: []string{"create customresourcedefinitions.apiextensions.k8s.io (cluster-scoped)", "No Role can grant this"},
		},
		"a kind that the commit defines": {
			commit: ownRelease("", "apiVersion: tobe.example.com/v1\nkind: Kind\nmetadata: {name: one}\n").and("charts/own/crds/kind.yaml", kindDefinition("tobe")),
			code:   forbidden, says: []string{"create kinds.tobe.example.com in namespace "},
		},
		"a kind that is not defined": {
			commit: ownRelease("", text+"---\napiVersion: nobody.example.com/v1\nkind: Kind\nmetadata: {name: one}\n"),
			says:   []string{"the cluster does not know this kind yet, so its rights were not checked: Kind (nobody.example.com/v1), in NAMESPACE/own"},
		},
		"a release that cannot be rendered": {
			commit: ownRelease("", `{{ fail "broken on purpose" }}`), code: releasesFailed,
			says: []string{"these releases cannot be rendered, so the rights that they need are unknown", "NAMESPACE/own: ", "broken on purpose"},
		},
		"a helmfile that cannot be loaded": {commit: files{"helmfile.yaml": "releases: {"}, code: desiredInvalid},
		"another tenant's namespace": {
			commit: ownRelease("namespace: kube-system", text), code: forbidden,
			says: []string{"create configmaps in namespace kube-system (for kube-system/own)", "namespace: kube-system"},
		},
		"a repository and a checkout": {commit: ownRelease("", text), args: []string{"--dir", "."}, code: configInvalid, says: []string{"--dir"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newTenant(t)
			repo := newRepository(t, test.commit)
			_, r := u.agent("access", append([]string{"--repo", repo.url}, test.args...)...)
			if r.code != test.code {
				t.Errorf("want exit code %d: %s", test.code, r)
			}
			for _, part := range test.says {
				contains(t, r.stdout+r.stderr, strings.ReplaceAll(part, "NAMESPACE", u.namespace))
			}
		})
	}
}

// TestAccessAsText checks the output for people and the output for kubectl.
func TestAccessAsText(t *testing.T) {
	t.Parallel()
	u := withRole(t, append(slices.Clone(records), may("", "configmaps", "get", "delete"))...)
	dir := checkout(t, ownRelease("", text))
	result := u.run(dir, "helmfile-agent", "access", "--dir", ".", "--namespace", u.namespace, "--log-level", "warn")
	if result.code != forbidden {
		t.Error(result)
	}
	contains(t, result.stdout,
		"NAMESPACE", "RESOURCE", "ALLOWED", "MISSING",
		"get create delete", "patch (list)", u.namespace+"/own",
		"kind: Role\n", "kind: RoleBinding\n", "name: "+u.user,
		"forbidden (exit 17): the agent may not: patch configmaps in namespace "+u.namespace)
	piped := u.run(dir, "helmfile-agent", "access", "--dir", ".", "--namespace", u.namespace, "--log-level", "warn", "--roles")
	contains(t, piped.stderr, "forbidden (exit 17)")
	u.grant(piped.stdout)
	if again := u.run(dir, "helmfile-agent", "access", "--dir", ".", "--namespace", u.namespace, "--roles"); again.code != converged || again.stdout != "" {
		t.Error(again)
	}
}

// refusedIn returns the missing rights, one line for each kind and namespace.
func refusedIn(t *testing.T, r result) []string {
	t.Helper()
	var report struct {
		Rights []struct {
			Namespace, Resource             string
			Allowed, Missing, Optional, For []string
		}
	}
	check(t, json.Unmarshal([]byte(r.stdout), &report))
	var lines []string
	for _, right := range report.Rights {
		verbs := append(slices.Clone(right.Missing), right.Optional...)
		slices.SortFunc(verbs, func(a, b string) int { return strings.Index(verbOrder, a) - strings.Index(verbOrder, b) })
		lines = append(lines, strings.Join(append([]string{right.Namespace, right.Resource}, verbs...), " "))
	}
	return lines
}

const verbOrder = "get list watch create update patch delete"

// newUserWithoutRights returns a user who has no rights in the namespace.
func newUserWithoutRights(t *testing.T) tenant {
	t.Helper()
	u := newTenant(t)
	u.namespace = newNamespace(t, u.namespace+"-none")
	u.kubeconfig = must(control.Kubeconfig(u.user, u.namespace))(t)
	return u
}

func newNamespace(t *testing.T, name string) string {
	t.Helper()
	must(client(t).CoreV1().Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: name}}, meta.CreateOptions{}))(t)
	return name
}

// defineKind adds a kind to the cluster and returns when the API server serves it. No other test uses the group.
func defineKind(t *testing.T, u tenant) (group string) {
	t.Helper()
	group = "access" + u.namespace[len(u.namespace)-6:len(u.namespace)-5]
	defineBetween(t, func() error { return nil }, kindDefinition(group))
	return group
}

// grant applies Roles and RoleBindings as an administrator. It binds Roles without a RoleBinding to the user. It returns when the rights
// are in force.
func (u tenant) grant(documents string) {
	u.t.Helper()
	t := u.t.(*testing.T)
	bound := strings.Contains(documents, "kind: RoleBinding")
	var roles []rbac.Role
	for _, text := range strings.Split(documents, "---\n") {
		var head meta.TypeMeta
		check(t, yaml.Unmarshal([]byte(text), &head))
		switch head.Kind {
		case "Role":
			var role rbac.Role
			check(t, yaml.UnmarshalStrict([]byte(text), &role))
			roles = append(roles, *must(client(t).RbacV1().Roles(role.Namespace).Create(t.Context(), &role, meta.CreateOptions{}))(t))
		case "RoleBinding":
			var b rbac.RoleBinding
			check(t, yaml.UnmarshalStrict([]byte(text), &b))
			must(client(t).RbacV1().RoleBindings(b.Namespace).Create(t.Context(), &b, meta.CreateOptions{}))(t)
		}
	}
	for _, role := range roles {
		if b := binding("Role", role.Name, u.user); !bound {
			b.Name = role.Name
			must(client(t).RbacV1().RoleBindings(role.Namespace).Create(t.Context(), b, meta.CreateOptions{}))(t)
		}
		u.awaitRule(role.Namespace, role.Rules[0])
	}
}

func (u tenant) awaitRule(namespace string, rule rbac.PolicyRule) {
	u.t.Helper()
	t := u.t.(*testing.T)
	name := ""
	if len(rule.ResourceNames) > 0 {
		name = rule.ResourceNames[0]
	}
	review := &authorization.SubjectAccessReview{Spec: authorization.SubjectAccessReviewSpec{User: u.user, ResourceAttributes: &authorization.ResourceAttributes{
		Namespace: namespace, Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: rule.Resources[0], Name: name,
	}}}
	for until := time.Now().Add(soon); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		answer, err := client(t).AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, meta.CreateOptions{})
		check(t, err)
		if answer.Status.Allowed {
			return
		}
	}
	t.Fatalf("%s may not %v in %s in time", u.user, rule, namespace)
}
