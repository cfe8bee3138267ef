package tool

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/agent/lookup"
)

// api is just enough of a Kubernetes API: a version, one kind and one object.
var api = map[string]string{
	"/version": `{"major":"1","minor":"29","gitVersion":"v1.29.3"}`,
	"/api":     `{"kind":"APIVersions","versions":["v1"]}`,
	"/apis":    `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`,
	"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[
		{"name":"configmaps","namespaced":true,"kind":"ConfigMap","verbs":["get"]},
		{"name":"secrets","namespaced":true,"kind":"Secret","verbs":["get"]}]}`,
	"/api/v1/namespaces/ns/configmaps/live": `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"live"},"data":{"a":"b"}}`,
	"/api/v1/namespaces/ns/secrets/plain":   `{"kind":"Secret","apiVersion":"v1","metadata":{"namespace":"ns","name":"plain"},"data":{"a":"b"}}`,
	"/api/v1/namespaces/ns/secrets/keys":    `{"kind":"Secret","apiVersion":"v1","metadata":{"namespace":"ns","name":"keys"},"data":{"a":"b"}}`,
}

func cluster(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := api[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return file(t, "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c}}]\n"+
		"clusters: [{name: c, cluster: {server: '"+srv.URL+"'}}]\n")
}

func TestTemplateAsksTheServer(t *testing.T) {
	isolate(t)
	t.Setenv("KUBECONFIG", os.DevNull)
	kubeconfig := cluster(t)
	dir := files(t, map[string]string{"Chart.yaml": webChart, "templates/cm.yaml": `
kube: {{ .Capabilities.KubeVersion }}
deployments: {{ .Capabilities.APIVersions.Has "apps/v1" }}
extra: {{ .Capabilities.APIVersions.Has "example.com/v1" }}
live: {{ (lookup "v1" "ConfigMap" "ns" "live").data | toJson }}
`})
	for name, test := range map[string]struct {
		flags []string
		want  []string
	}{
		"not unless told": {nil, []string{"deployments: true", "live: null"}},
		"dry-run client":  {[]string{"--dry-run=client"}, []string{"live: null"}},
		"dry-run server":  {[]string{"--dry-run=server"}, []string{"kube: v1.29.3", "deployments: false", `live: {"a":"b"}`}},
		"flags go on top": {[]string{"--dry-run=server", "--kube-version=1.30.0", "-a=example.com/v1"}, []string{"kube: v1.30.0", "extra: true"}},
		"flags on client": {[]string{"--kube-version=1.30.0", "-a=example.com/v1"}, []string{"kube: v1.30.0", "extra: true", "live: null"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"template", "shop", dir, "--namespace", "ns", "--kubeconfig", kubeconfig}, test.flags...)
			contains(t, must(t, "helm", args...), test.want...)
		})
	}
}

// TestTemplateHidesTheAgentsSecrets: a child renders for the agent, which told it what to hide.
func TestTemplateHidesTheAgentsSecrets(t *testing.T) {
	isolate(t)
	t.Setenv("KUBECONFIG", os.DevNull)
	t.Setenv(lookup.Variable, lookup.Hidden{Namespace: "ns", Names: []string{"keys"}}.String())
	dir := files(t, map[string]string{"Chart.yaml": webChart, "templates/cm.yaml": `
keys: {{ lookup "v1" "Secret" "ns" "keys" | toJson }}
plain: {{ (lookup "v1" "Secret" "ns" "plain").data | toJson }}
`})
	args := []string{"template", "shop", dir, "--namespace", "ns", "--kubeconfig", cluster(t), "--dry-run=server"}
	contains(t, must(t, "helm", args...), "keys: {}", `plain: {"a":"b"}`)
}
