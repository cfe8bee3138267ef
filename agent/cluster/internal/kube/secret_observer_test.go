package kube

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSecretsAreHeeded: the observer gets the Secrets of an answer, and the caller still gets the answer.
func TestSecretsAreHeeded(t *testing.T) {
	const answer = `{"kind": "Secret", "data": {"a": "Y29ycmVjdC1ob3JzZQ=="}}`
	server := answering(t, answer)
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
		client := http.Client{Transport: observeSecrets(func(object map[string]any) error { told = append(told, object); return nil })(http.DefaultTransport)}
		method, path, _ := strings.Cut(request, " ")
		sent, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(sent)
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

// answering starts an API server that gives every request the same answer.
func answering(t *testing.T, answer string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server
}

// TestHelmRecordsAreNotObserved: the API server also answers with Helm's records when a template looks up all Secrets of a namespace.
func TestHelmRecordsAreNotObserved(t *testing.T) {
	const (
		record = `{"metadata": {"name": "sh.helm.release.v1.db.v1"}, "type": "helm.sh/release.v1", "data": {"release": "SDRzSUFBQUFBQUFBLw=="}}`
		secret = `{"metadata": {"name": "db"}, "type": "Opaque", "data": {"a": "Y29ycmVjdC1ob3JzZQ=="}}`
	)
	for answer, want := range map[string][]string{
		`{"kind": "SecretList", "items": [` + record + `,` + secret + `,` + record + `]}`: {"db"},
		`{"kind": "SecretList", "items": [` + record + `]}`:                               nil,
		record: nil,
		secret: {"db"},
	} {
		var names []string
		observe := func(object map[string]any) error {
			items, isList := object["items"].([]any)
			if !isList {
				items = []any{object}
			}
			for _, item := range items {
				names = append(names, item.(map[string]any)["metadata"].(map[string]any)["name"].(string))
			}
			return nil
		}
		server := answering(t, answer)
		client := http.Client{Transport: observeSecrets(observe)(http.DefaultTransport)}
		response, err := client.Get(server.URL + "/api/v1/namespaces/shop/secrets")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || response.Body.Close() != nil || string(body) != answer {
			t.Errorf("answered %s, %v", body, err)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s: %s", answer, diff)
		}
	}
}

// TestSecretsThatCannotBeMaskedAreNotUsed: templates and Helm do not get a Secret that cannot be masked.
func TestSecretsThatCannotBeMaskedAreNotUsed(t *testing.T) {
	full := errors.New("too many secrets")
	server := answering(t, `{"kind": "Secret", "data": {"a": "Y29ycmVjdC1ob3JzZQ=="}}`)
	client := http.Client{Transport: observeSecrets(func(map[string]any) error { return full })(http.DefaultTransport)}
	response, err := client.Get(server.URL + "/api/v1/namespaces/shop/secrets/db")
	if err == nil {
		_ = response.Body.Close()
	}
	if !errors.Is(err, full) || strings.Contains(err.Error(), "Y29y") {
		t.Errorf("got %v", err)
	}
}
