//go:build linux

package node

import (
	"strings"
	"testing"

	authentication "k8s.io/api/authentication/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
)

// TestRights checks that the tenant and the agent have no rights outside of the namespace, and need none.
func TestRights(t *testing.T) {
	t.Parallel()
	for title, given := range map[string]values{
		"with a Role that the chart makes": {"mode": "role"},
		"bound to the ClusterRole edit":    {"mode": "bind"},
		"bound to the ClusterRole admin":   {"mode": "bind", "roleRef": values{"name": "admin"}},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			stayInside(newTestNamespace(t), values{"rbac": given})
		})
	}
}

func stayInside(p *testNamespace, rights values) {
	t := p.t
	p.declares(web, db)
	began := p.now()
	a := p.install("gitops", rights)
	a.converges("installs")
	p.changeByHand("db", "green")
	p.declares(webRed, db)
	a.converges("corrects")
	p.declares(webRed)
	a.converges("marks")
	a.converges("prunes")
	a.has("web 1, web 2")

	t.Log("all requests of the agent are in its namespace or without a namespace")
	requests := a.requests(began)
	if len(requests) == 0 {
		t.Fatal("the agent sent no requests")
	}
	for _, request := range requests {
		if !a.isAllowedRequest(request) {
			t.Errorf("the agent sent an unexpected request: %s (%s)", request, request.URI)
		}
	}

	t.Log("requests outside of the namespace are refused")
	for who, client := range map[string]kubernetes.Interface{"the tenant": p.client, "the agent": a.itself()} {
		for what, try := range forbiddenRequests {
			if err := try(t, client); !apierrors.IsForbidden(err) {
				t.Errorf("%s tries to %s: %v, want it forbidden", who, what, err)
			}
		}
	}
	t.Log("in the namespace, pods that violate the profile restricted are refused")
	pod := &core.Pod{ObjectMeta: meta.ObjectMeta{Name: "root"}, Spec: core.PodSpec{Containers: []core.Container{{Name: "app", Image: cluster.PauseImage}}}}
	if _, err := p.client.CoreV1().Pods(p.namespace).Create(t.Context(), pod, meta.CreateOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a pod without a security context: %v, want it forbidden", err)
	}
}

// isAllowedRequest reports whether a request is in the namespace, is a review of the client's own rights, or reads something that all
// users may read: versions and the list of kinds.
func (a *agent) isAllowedRequest(request cluster.Request) bool {
	switch {
	case request.Resource == "namespaces":
		return request.Verb == "get" && request.Name == a.namespace // checks whether the namespace exists; the Role need not allow it
	case request.Code == 403:
		return false
	case request.Group == "authorization.k8s.io":
		return request.Resource == "selfsubjectaccessreviews" && request.Verb == "create"
	case request.Resource != "":
		return request.Namespace == a.namespace
	}
	path, _, _ := strings.Cut(request.URI, "?")
	for _, public := range []string{"/version", "/api", "/apis", "/openapi"} {
		if path == public || strings.HasPrefix(path, public+"/") {
			return request.Verb == "get"
		}
	}
	return false
}

// forbiddenRequests has requests outside of the namespace.
var forbiddenRequests = map[string]func(*testing.T, kubernetes.Interface) error{
	"list the Secrets of all namespaces": func(t *testing.T, c kubernetes.Interface) error {
		_, err := c.CoreV1().Secrets(meta.NamespaceAll).List(t.Context(), meta.ListOptions{})
		return err
	},
	"list the Secrets of another namespace": func(t *testing.T, c kubernetes.Interface) error {
		_, err := c.CoreV1().Secrets(meta.NamespaceSystem).List(t.Context(), meta.ListOptions{})
		return err
	},
	"write into another namespace": func(t *testing.T, c kubernetes.Interface) error {
		object := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "trespass"}}
		_, err := c.CoreV1().ConfigMaps(meta.NamespaceDefault).Create(t.Context(), object, meta.CreateOptions{})
		return err
	},
	"start a Job in another namespace": func(t *testing.T, c kubernetes.Interface) error {
		_, err := c.BatchV1().Jobs(meta.NamespaceDefault).Create(t.Context(), &batch.Job{ObjectMeta: meta.ObjectMeta{Name: "trespass"}}, meta.CreateOptions{})
		return err
	},
	"make a namespace": func(t *testing.T, c kubernetes.Interface) error {
		_, err := c.CoreV1().Namespaces().Create(t.Context(), &core.Namespace{ObjectMeta: meta.ObjectMeta{Name: "trespass"}}, meta.CreateOptions{})
		return err
	},
	"list namespaces": func(t *testing.T, c kubernetes.Interface) error {
		_, err := c.CoreV1().Namespaces().List(t.Context(), meta.ListOptions{})
		return err
	},
	"list nodes": func(t *testing.T, c kubernetes.Interface) error {
		_, err := c.CoreV1().Nodes().List(t.Context(), meta.ListOptions{})
		return err
	},
	"make a ClusterRole": func(t *testing.T, c kubernetes.Interface) error {
		_, err := c.RbacV1().ClusterRoles().Create(t.Context(), &rbac.ClusterRole{ObjectMeta: meta.ObjectMeta{Name: "trespass"}}, meta.CreateOptions{})
		return err
	},
	"become the cluster's admin": func(t *testing.T, c kubernetes.Interface) error {
		binding := &rbac.ClusterRoleBinding{
			ObjectMeta: meta.ObjectMeta{Name: "trespass"},
			RoleRef:    rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		}
		_, err := c.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, meta.CreateOptions{})
		return err
	},
}

// itself returns a client with a token of the agent's ServiceAccount, like the token in its pods.
func (a *agent) itself() kubernetes.Interface {
	a.t.Helper()
	token, err := a.client.CoreV1().ServiceAccounts(a.namespace).CreateToken(a.t.Context(), a.fullname(), &authentication.TokenRequest{}, meta.CreateOptions{})
	a.must(err)
	config := rest.AnonymousClientConfig(control.Config())
	config.BearerToken = token.Status.Token
	client, err := kubernetes.NewForConfig(config)
	a.must(err)
	return client
}
