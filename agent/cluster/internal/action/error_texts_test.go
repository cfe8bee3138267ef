package action

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v3/pkg/action"
	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/kube/fake"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/history"
	"github.com/helmfile-agent/helmfile-agent/agent/cluster/internal/kube"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// These tests fail when a library changes the words that this package looks for. docs/error-texts.md lists them.

func TestHelmsWordsForANameInUse(t *testing.T) {
	config := &action.Configuration{Releases: storage.Init(driver.NewMemory()), KubeClient: &fake.PrintingKubeClient{Out: io.Discard},
		Capabilities: chartutil.DefaultCapabilities, Log: func(string, ...any) {}}
	install := func() error {
		install := action.NewInstall(config)
		install.ReleaseName, install.Namespace = "web", "shop"
		_, err := install.RunWithContext(t.Context(), &helmchart.Chart{Metadata: &helmchart.Metadata{APIVersion: "v2", Name: "web", Version: "1.0.0"}}, nil)
		return err
	}
	if err := install(); err != nil {
		t.Fatal(err)
	}
	if err := install(); err == nil || !nameInUse(err) {
		t.Errorf("not recognized: %v", err)
	}
}

// TestHelmsWordsForTheEndOfAWait waits for objects that never become ready, and for a hook that never ends.
func TestHelmsWordsForTheEndOfAWait(t *testing.T) {
	helm := connectedHelm(t)
	for name, wait := range map[string]func() error{
		"objects": func() error {
			pods, err := helm.KubeClient.Build(strings.NewReader("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"), false)
			if err != nil {
				return err
			}
			return helm.KubeClient.Wait(pods, 50*time.Millisecond)
		},
		"a hook": func() error {
			jobs, err := helm.KubeClient.Build(strings.NewReader("apiVersion: v1\nkind: Pod\nmetadata: {name: migrate}\n"), false)
			if err != nil {
				return err
			}
			return helm.KubeClient.WatchUntilReady(jobs, 50*time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := wait()
			if err == nil || !strings.Contains(fmt.Sprint(cutShort(err, time.Second, time.Minute)), "raise --timeout") {
				t.Errorf("not recognized: %v", err)
			}
		})
	}
}

func TestHelmsWordsForAnUnknownKind(t *testing.T) {
	_, err := connectedHelm(t).KubeClient.Build(strings.NewReader("apiVersion: example.com/v1\nkind: One\nmetadata: {name: web}\n"), false)
	if !kube.IsNoSuchKind(err) {
		t.Errorf("not recognized: %v", err)
	}
}

// connectedHelm is Helm on an API server with pods that never become ready.
func connectedHelm(t *testing.T) *action.Configuration {
	t.Helper()
	connection := connectedTo(t, http.HandlerFunc(pending))
	config, _ := New(connection, history.New(connection), nil, nil).helm(t.Context(), release.Key{Namespace: "shop", Name: "web"})
	return config
}

func pending(w http.ResponseWriter, r *http.Request) {
	pod := map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "web", "namespace": "shop"}, "status": map[string]any{"phase": "Pending"}}
	var answer any = pod
	switch r.URL.Path {
	case "/api":
		answer = metav1.APIVersions{Versions: []string{"v1"}}
	case "/apis":
		answer = metav1.APIGroupList{}
	case "/api/v1":
		answer = metav1.APIResourceList{GroupVersion: "v1", APIResources: []metav1.APIResource{
			{Name: "pods", Kind: "Pod", Namespaced: true, Verbs: metav1.Verbs{"get", "list", "watch"}}}}
	case "/api/v1/namespaces/shop/pods":
		answer = map[string]any{"apiVersion": "v1", "kind": "PodList", "metadata": map[string]any{"resourceVersion": "1"}, "items": []any{pod}}
	}
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Query().Get("watch") != "" {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}
