package kube

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadProxy: what renders charts while the helmfile loads may read what the agent may, but for the agent's own Secrets.
func TestReadProxy(t *testing.T) {
	var asked []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.RequestURI()+" as "+r.Header.Get("Authorization")+r.Header.Get("Impersonate-User")+r.Header.Get("Upgrade"))
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/base/api/v1/namespaces/agent/secrets/keys":
			_, _ = io.WriteString(w, `{"kind":"Secret","metadata":{"namespace":"agent","name":"keys"},"data":{"a":"canary"}}`)
		default:
			_, _ = io.WriteString(w, `{"kind":"ConfigMap"}`)
		}
	}))
	t.Cleanup(server.Close)
	kubeconfig := filepath.Join(t.TempDir(), "config")
	err := os.WriteFile(kubeconfig, []byte("apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"+
		"clusters: [{name: c, cluster: {server: '"+server.URL+"/base', insecure-skip-tls-verify: true}}]\nusers: [{name: u, user: {token: t0ken}}]\n"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := Connect(Options{Kubeconfig: kubeconfig, Namespace: "agent", OwnSecrets: []string{"keys"},
		Credential: func(...string) {}, Secret: func(map[string]any) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := reader.ReadProxy()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/api/v1/namespaces/agent/configmaps/a?limit=7", http.StatusOK},
		{http.MethodGet, "/api/v1/namespaces/agent/secrets/keys", http.StatusNotFound},
		{http.MethodGet, "/api/v1/namespaces/agent/configmaps?watch=true", http.StatusForbidden},
		{http.MethodGet, "/api/v1/namespaces/agent/secrets/keys/", http.StatusForbidden},
		{http.MethodGet, "/api/v1/namespaces/agent/pods/web/exec?command=sh", http.StatusForbidden},
		{http.MethodPost, "/api/v1/namespaces/agent/configmaps", http.StatusForbidden},
		{http.MethodDelete, "/api/v1/namespaces/agent/configmaps/a", http.StatusForbidden},
	} {
		request := httptest.NewRequest(test.method, test.path, nil)
		request.Header.Set("Authorization", "Bearer other")
		request.Header.Set("Impersonate-User", "admin")
		request.Header.Set("Connection", "Upgrade")
		request.Header.Set("Upgrade", "SPDY/3.1")
		answer := httptest.NewRecorder()
		proxy.ServeHTTP(answer, request)
		if answer.Code != test.want || strings.Contains(answer.Body.String(), "canary") {
			t.Errorf("%s %s: %d %s", test.method, test.path, answer.Code, answer.Body)
		}
	}
	want := "GET /base/api/v1/namespaces/agent/configmaps/a?limit=7 as Bearer t0ken|GET /base/api/v1/namespaces/agent/secrets/keys as Bearer t0ken"
	if got := strings.Join(asked, "|"); got != want {
		t.Errorf("asked\n%s, want\n%s", got, want)
	}
}
