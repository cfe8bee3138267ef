package action

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	helm "helm.sh/helm/v3/pkg/release"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
)

const twoDefinitions = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ones.example.com}
spec: {group: example.com, names: {kind: One, plural: ones}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: twos.example.com}
spec: {group: example.com, names: {kind: Two, plural: twos}}
`

// TestNewKindsAreDiscoveredOnce: the wait reads the CRDs, and discovers all APIs only after the CRDs are established.
func TestNewKindsAreDiscoveredOnce(t *testing.T) {
	for name, test := range map[string]struct {
		manifest string
		api      *api
		want     map[string]int // requests
	}{
		"no definitions": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", &api{}, map[string]int{}},
		"at once": {twoDefinitions, &api{}, map[string]int{
			"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ones.example.com": 1,
			"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/twos.example.com": 1,
			"/api": 1, "/apis": 1, "/api/v1": 1, "/apis/example.com/v1": 1, "/version": 1,
		}},
		"after a while": {twoDefinitions, &api{establishedAfter: 3}, map[string]int{
			"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ones.example.com": 4,
			"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/twos.example.com": 4,
			"/api": 1, "/apis": 1, "/api/v1": 1, "/apis/example.com/v1": 1, "/version": 1,
		}},
		"the list of APIs lags behind": {twoDefinitions, &api{listedAfter: 1}, map[string]int{
			"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ones.example.com": 1,
			"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/twos.example.com": 1,
			"/api": 2, "/apis": 2, "/api/v1": 2, "/apis/example.com/v1": 1, "/version": 1,
		}},
		"definitions may not be read": {twoDefinitions, &api{forbidden: true}, map[string]int{
			"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ones.example.com": 1,
			"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/twos.example.com": 1,
			"/api": 1, "/apis": 1, "/api/v1": 1, "/apis/example.com/v1": 1, "/version": 1,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			test.api.asked = map[string]int{}
			c := connectedTo(t, test.api)
			waitForCRDs(t.Context(), c, &helm.Release{Name: "web", Namespace: "shop", Manifest: test.manifest, Info: &helm.Info{}})
			if diff := cmp.Diff(test.want, test.api.asked); diff != "" {
				t.Error(diff)
			}
			manifest, err := history.ManifestOf(&helm.Release{Manifest: test.manifest})
			if err != nil || !c.Serves(kindsOf(definedBy(manifest))) {
				t.Errorf("the kinds are not known: %v", err)
			}
		})
	}
}

// api is an API server that serves new kinds after some requests.
type api struct {
	establishedAfter int // reads of a CRD
	listedAfter      int // lists of all APIs
	forbidden        bool

	mu    sync.Mutex
	asked map[string]int
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[r.URL.Path]++
	var answer any
	switch r.URL.Path {
	case "/version":
		answer = map[string]string{"gitVersion": "v1.34.0", "major": "1", "minor": "34"}
	case "/api":
		answer = metav1.APIVersions{Versions: []string{"v1"}}
	case "/api/v1":
		answer = metav1.APIResourceList{GroupVersion: "v1", APIResources: []metav1.APIResource{{Name: "secrets", Kind: "Secret", Namespaced: true}}}
	case "/apis":
		answer = a.groups()
	case "/apis/example.com/v1":
		answer = metav1.APIResourceList{GroupVersion: "example.com/v1", APIResources: []metav1.APIResource{{Name: "ones", Kind: "One"}, {Name: "twos", Kind: "Two"}}}
	default:
		answer = a.definition(r.URL.Path)
	}
	w.Header().Set("Content-Type", "application/json")
	if a.forbidden && len(r.URL.Path) > len("/apis/apiextensions.k8s.io/v1/") {
		w.WriteHeader(http.StatusForbidden)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (a *api) groups() metav1.APIGroupList {
	if a.asked["/apis"] <= a.listedAfter {
		return metav1.APIGroupList{}
	}
	version := metav1.GroupVersionForDiscovery{GroupVersion: "example.com/v1", Version: "v1"}
	return metav1.APIGroupList{Groups: []metav1.APIGroup{{Name: "example.com", Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version}}}
}

func (a *api) definition(path string) any {
	if a.forbidden {
		return metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: metav1.StatusReasonForbidden, Code: http.StatusForbidden}
	}
	status := "False"
	if a.asked[path] > a.establishedAfter {
		status = "True"
	}
	return map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": "any"},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "NamesAccepted", "status": "True"}, map[string]any{"type": "Established", "status": status}}},
	}
}

// connectedTo connects to an API server.
func connectedTo(t *testing.T, handler http.Handler) *kube.Connection {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c := &kube.Connection{Config: &rest.Config{Host: server.URL, QPS: -1}, Namespace: "shop", Options: kube.Options{Instance: "agent", Log: slog.New(slog.DiscardHandler)}}
	c.Client = kubernetes.NewForConfigOrDie(c.Config)
	c.Dynamic = dynamic.NewForConfigOrDie(c.Config)
	c.Discovery = memory.NewMemCacheClient(c.Client.Discovery())
	c.Mapper = restmapper.NewDeferredDiscoveryRESTMapper(c.Discovery)
	return c
}
