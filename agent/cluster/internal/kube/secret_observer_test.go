package kube

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestSecretsAreHeeded: what the API server answers of Secrets is told, and still reaches whoever asked.
func TestSecretsAreHeeded(t *testing.T) {
	const answer = `{"kind": "Secret", "data": {"a": "Y29ycmVjdC1ob3JzZQ=="}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	for request, heeded := range map[string]bool{
		"GET /api/v1/namespaces/shop/secrets/db":                                       true,
		"GET /api/v1/namespaces/shop/secrets":                                          true,
		"GET /api/v1/secrets":                                                          true,
		"PATCH /api/v1/namespaces/shop/secrets/db":                                     true,
		"DELETE /api/v1/namespaces/shop/secrets/db":                                    false, // refused
		"GET /api/v1/namespaces/shop/configmaps/secrets":                               false,
		"GET /api/v1/namespaces/shop/secrets/sh.helm.release.v1.db.v1":                 false,
		"GET /api/v1/namespaces/shop/secrets?labelSelector=owner%3Dhelm":               false,
		"GET /api/v1/namespaces/shop/secrets?fieldSelector=type!%3Dhelm.sh/release.v1": false,
		"GET /api/v1/namespaces/shop/secrets?watch=true":                               false,
	} {
		var told []map[string]any
		client := http.Client{Transport: observeSecrets(func(object map[string]any) { told = append(told, object) })(http.DefaultTransport)}
		method, path, _ := strings.Cut(request, " ")
		asked, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(asked)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.Body.Close() != nil || string(body) != answer {
			t.Errorf("%s: answered %s, %v", request, body, err)
		}
		if (len(told) == 1) != heeded {
			t.Errorf("%s: told %v", request, told)
		}
	}
}
