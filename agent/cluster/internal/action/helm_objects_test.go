package action

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	helmkube "helm.sh/helm/v3/pkg/kube"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// objectServer is an API server that knows ConfigMaps. It records where and by whom they are created.
func objectServer(t *testing.T) (url string, created *[]string) {
	t.Helper()
	created = &[]string{}
	answers := map[string]string{
		"/api":  `{"kind":"APIVersions","versions":["v1"]}`,
		"/apis": `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`,
		"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[
			{"name":"configmaps","namespaced":true,"kind":"ConfigMap","verbs":["create","get"]}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost {
			*created = append(*created, r.URL.Path+" by "+r.URL.Query().Get("fieldManager"))
			body, _ := io.ReadAll(r.Body)
			_, _ = w.Write(body)
			return
		}
		_, _ = io.WriteString(w, answers[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	return server.URL, created
}

// createThroughHelm connects with a kubeconfig in the current directory, leaves that directory, and creates a ConfigMap that names
// no namespace, as Helm does for the release shop/web.
func createThroughHelm(t *testing.T) []string {
	t.Helper()
	url, created := objectServer(t)
	t.Chdir(t.TempDir())
	kubeconfig := "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, namespace: agent}}]\n" +
		"clusters: [{name: c, cluster: {server: '" + url + "'}}]\n"
	if err := os.WriteFile("kubeconfig", []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	connection, err := kube.Connect(kube.Options{Kubeconfig: "kubeconfig", Credential: func(...string) {}, Secret: func(map[string]any) error { return nil },
		Log: slog.New(slog.DiscardHandler), Mask: func(text string) string { return text }})
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	helm, _ := New(connection, history.New(connection), nil, nil).helm(context.Background(), release.Key{Namespace: "shop", Name: "web"})
	objects, err := helm.KubeClient.Build(strings.NewReader("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"), false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := helm.KubeClient.Create(objects); err != nil {
		t.Fatal(err)
	}
	return *created
}

func TestHelmsObjectsAreInTheReleasesNamespace(t *testing.T) {
	created := createThroughHelm(t)
	if len(created) != 1 || !strings.HasPrefix(created[0], "/api/v1/namespaces/shop/configmaps ") {
		t.Errorf("created %q, want one ConfigMap in the namespace shop", created)
	}
}

// The binary of this test does not have the name of the agent's binary.
func TestTheFieldManagerDoesNotDependOnTheBinarysName(t *testing.T) {
	created := createThroughHelm(t)
	if len(created) != 1 || !strings.HasSuffix(created[0], " by helmfile-agent") || helmkube.ManagedFieldsManager != kube.FieldManager {
		t.Errorf("created %q, and Helm's field manager is %q", created, helmkube.ManagedFieldsManager)
	}
}
