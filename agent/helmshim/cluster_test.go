package helmshim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// api is a minimal Kubernetes API: a version, one kind and one object.
var api = map[string]string{
	"/version": `{"major":"1","minor":"29","gitVersion":"v1.29.3"}`,
	"/api":     `{"kind":"APIVersions","versions":["v1"]}`,
	"/apis":    `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`,
	"/api/v1": `{"kind":"APIResourceList","groupVersion":"v1","resources":[
		{"name":"configmaps","namespaced":true,"kind":"ConfigMap","verbs":["get"]}]}`,
	"/api/v1/namespaces/ns/configmaps/live": `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"live"},"data":{"a":"b"}}`,
}

// cluster replaces the agent's proxy.
func cluster(w http.ResponseWriter, r *http.Request) {
	body, ok := api[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, body)
}

func TestTemplateReadsTheCluster(t *testing.T) {
	isolate(t)
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
		"no flags":                   {nil, []string{"deployments: true", "live: null"}},
		"dry-run client":             {[]string{"--dry-run=client"}, []string{"live: null"}},
		"dry-run server":             {[]string{"--dry-run=server"}, []string{"kube: v1.29.3", "deployments: false", `live: {"a":"b"}`}},
		"flags win over the cluster": {[]string{"--dry-run=server", "--kube-version=1.30.0", "-a=example.com/v1"}, []string{"kube: v1.30.0", "extra: true"}},
		"flags without a cluster":    {[]string{"--kube-version=1.30.0", "-a=example.com/v1"}, []string{"kube: v1.30.0", "extra: true", "live: null"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"template", "shop", dir, "--namespace", "ns"}, test.flags...)
			contains(t, must(t, "helm", args...), test.want...)
		})
	}
}

// TestTheRepositoryCannotChooseTheCluster: templateArgs in the repository can contain flags that name a cluster.
func TestTheRepositoryCannotChooseTheCluster(t *testing.T) {
	isolate(t)
	contacted := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { contacted = true }))
	t.Cleanup(other.Close)
	kubeconfig := file(t, "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c}}]\n"+
		"clusters: [{name: c, cluster: {server: '"+other.URL+"'}}]\n")
	dir := files(t, map[string]string{"Chart.yaml": webChart, "templates/cm.yaml": "kube: {{ .Capabilities.KubeVersion }}\n"})
	for _, flag := range []string{"--kubeconfig=" + kubeconfig, "--kube-apiserver=" + other.URL, "--kube-token=t0ken"} {
		contains(t, must(t, "helm", "template", "shop", dir, "--dry-run=server", flag), "kube: v1.29.3")
	}
	if contacted {
		t.Error("helm contacted a server that the repository chose")
	}
}
