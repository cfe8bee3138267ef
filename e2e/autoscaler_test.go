package e2e

import (
	"slices"
	"strings"
	"testing"

	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const oneReplica = `apiVersion: apps/v1
kind: Deployment
metadata: {name: own}
spec:
  replicas: 1
  selector: {matchLabels: {app: own}}
  template:
    metadata: {labels: {app: own}}
    spec: {containers: [{name: own, image: "registry.example.com/own:1"}]}
`

// TestAutoscalersWithoutListRight: without the right to list autoscalers, the agent does not correct replicas, but corrects all other
// fields. `access` prints the missing right.
func TestAutoscalersWithoutListRight(t *testing.T) {
	t.Parallel()
	u := withRole(t, append(slices.Clone(records), may("apps", "deployments", "get", "list", "create", "patch", "delete"))...)
	repo := newRepository(t, ownRelease("", oneReplica))
	expectActions(t, u.converge("--repo", repo.url), "own install done 1")

	u.patchDeployment(`{"spec": {"replicas": 7}}`)
	expectActions(t, u.converge("--repo", repo.url), "own unchanged done 1")
	u.patchDeployment(`{"spec": {"replicas": 8, "template": {"metadata": {"labels": {"app": "own", "more": "x"}}, "spec": {"containers": [{"name": "own", "image": "registry.example.com/own:2"}]}}}}`)
	s := u.converge("--repo", repo.url)
	expectActions(t, s, "own correct done 1")
	if why := s.Releases[0].Why; !strings.Contains(why, "/image") || strings.Contains(why, "replicas") {
		t.Errorf("the drift is %s", why)
	}
	u.hasReplicas(8)

	_, result := u.agent("access", "--repo", repo.url)
	if got := refusedIn(t, result); result.code != converged || !slices.Contains(got, u.namespace+" horizontalpodautoscalers.autoscaling list") {
		t.Errorf("access does not print the right as optional: %q: %s", got, result)
	}
	_, result = u.agent("access", "--repo", repo.url, "--drift", "ignore")
	if got := refusedIn(t, result); slices.Contains(got, u.namespace+" horizontalpodautoscalers.autoscaling list") {
		t.Errorf("the right is asked for though nothing looks for drift: %q", got)
	}

	u.mayListAutoscalers()
	s = u.converge("--repo", repo.url)
	expectActions(t, s, "own correct done 1")
	u.hasReplicas(1)
}

func (u tenant) patchDeployment(patch string) {
	u.t.Helper()
	t := u.t.(*testing.T)
	must(client(t).AppsV1().Deployments(u.namespace).Patch(t.Context(), "own", types.StrategicMergePatchType, []byte(patch), meta.PatchOptions{}))(t)
}

func (u tenant) hasReplicas(want int32) {
	u.t.Helper()
	t := u.t.(*testing.T)
	if got := must(client(t).AppsV1().Deployments(u.namespace).Get(t.Context(), "own", meta.GetOptions{}))(t); *got.Spec.Replicas != want {
		t.Errorf("%d replicas, want %d", *got.Spec.Replicas, want)
	}
}

func (u tenant) mayListAutoscalers() {
	u.t.Helper()
	t := u.t.(*testing.T)
	rule := may("autoscaling", "horizontalpodautoscalers", "list")
	must(client(t).RbacV1().Roles(u.namespace).Create(t.Context(), &rbac.Role{ObjectMeta: meta.ObjectMeta{Name: "autoscalers"}, Rules: []rbac.PolicyRule{rule}}, meta.CreateOptions{}))(t)
	bound := binding("Role", "autoscalers", u.user)
	bound.Name = "autoscalers"
	must(client(t).RbacV1().RoleBindings(u.namespace).Create(t.Context(), bound, meta.CreateOptions{}))(t)
	u.awaitRule(u.namespace, rule)
}
