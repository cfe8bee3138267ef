package e2e

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster"
)

// TestReadProxyHidesSecrets sends requests to a real API server through the loader's proxy, in all ways that return Secrets.
func TestReadProxyHidesSecrets(t *testing.T) {
	t.Parallel()
	u := newTenant(t)
	for _, s := range []core.Secret{
		{ObjectMeta: meta.ObjectMeta{Name: "keys"}, StringData: map[string]string{"key": "canary"}},
		{ObjectMeta: meta.ObjectMeta{Name: "record"}, StringData: map[string]string{"key": "canary"}, Type: "helm.sh/release.v1"},
		{ObjectMeta: meta.ObjectMeta{Name: "shown"}, StringData: map[string]string{"key": "plain"}},
	} {
		must(client(t).CoreV1().Secrets(u.namespace).Create(t.Context(), &s, meta.CreateOptions{}))(t)
	}
	reader, err := cluster.Connect(cluster.Options{Kubeconfig: u.kubeconfig, Namespace: u.namespace, OwnSecrets: []string{"keys"},
		Credential: func(...string) {}, Secret: func(map[string]any) error { return nil }})
	check(t, err)
	proxy, err := reader.ReadProxy()
	check(t, err)
	const canary, plain = "Y2FuYXJ5", "cGxhaW4=" // base64, as in the answers of the API server
	in := "/api/v1/namespaces/" + u.namespace
	for _, test := range []struct {
		path string
		code int
		want string // the answer contains it
	}{
		{in + "/secrets/shown", 200, plain},
		{in + "/secrets", 200, plain},
		{in + "/secrets?limit=10", 200, plain},
		{in + "/secrets/none", 404, "NotFound"},
		{"/api/v1/secrets", 403, "Forbidden"},
		{in + "/configmaps", 200, "ConfigMapList"},
		{"/version", 200, "gitVersion"},
		{"/api", 200, "APIVersions"},
		{"/apis", 200, "APIGroupList"},
		{"/apis/apps/v1", 200, "deployments"},
		{in + "/secrets/keys", 404, "NotFound"},
		{in + "/secrets/record", 404, "NotFound"},
		{in + "/secrets/keys/", 403, "the agent refuses"},
		{in + "/secrets/", 403, "the agent refuses"},
		{in + "//secrets/keys", 403, "the agent refuses"},
		{in + "/secrets%2Fkeys", 403, "the agent refuses"},
		{in + "/%73ecrets/keys", 403, "the agent refuses"},
		{in + "/secrets?watch=&timeoutSeconds=1", 403, "the agent refuses"},
		{in + "/secrets?watch=1&timeoutSeconds=1", 403, "the agent refuses"},
		{"/api/v1/watch/namespaces/" + u.namespace + "/secrets?timeoutSeconds=1", 403, "the agent refuses"},
		{"/api/v1/watch/namespaces/" + u.namespace + "/secrets/keys?timeoutSeconds=1", 403, "the agent refuses"},
		{in + "/pods/web/log", 403, "the agent refuses"},
		{in + "/services/web/proxy", 403, "the agent refuses"},
	} {
		request := httptest.NewRequest("GET", test.path, nil)
		request.Header.Set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, request)
		if answer.Code != test.code || !strings.Contains(answer.Body.String(), test.want) || bytes.Contains(answer.Body.Bytes(), []byte(canary)) {
			t.Errorf("%s: %d, want %d with %q: %.300s", test.path, answer.Code, test.code, test.want, answer.Body)
		}
	}
}
