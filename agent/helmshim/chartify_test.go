package helmshim

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/helmfile/chartify"
	"helm.sh/helm/v3/pkg/repo"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// chartified runs the real chartify and renders the result. chartify runs this test binary as helm and kustomize.
func chartified(t *testing.T, dirOrChart string, options chartify.ChartifyOpts) string {
	t.Helper()
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"helm", "kustomize"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CHARTIFY_TEMPDIR", t.TempDir())
	runner := chartify.New(
		chartify.HelmBin(filepath.Join(bin, "helm")),
		chartify.KustomizeBin(filepath.Join(bin, "kustomize")),
		chartify.WithLogf(func(string, ...any) {}))
	made, err := runner.Chartify("shop", dirOrChart, chartify.WithChartifyOpts(&options))
	if err != nil {
		t.Fatal(err)
	}
	return must(t, "helm", "template", "shop", made)
}

func file(t *testing.T, content string) string {
	t.Helper()
	return filepath.Join(files(t, map[string]string{"f.yaml": content}), "f.yaml")
}

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata: {a: '{{ not a template }}'}\n"

const plainDeployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers:
      - {name: api, image: nginx}
`

func TestChartifyRawManifests(t *testing.T) {
	isolate(t)
	dir := files(t, map[string]string{"cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n"})
	contains(t, chartified(t, dir, chartify.ChartifyOpts{Namespace: "ns"}), "name: settings", "namespace: ns")
}

func TestChartifyKustomization(t *testing.T) {
	isolate(t)
	dir := files(t, map[string]string{
		"kustomization.yaml": "resources: [d.yaml, cm.yaml]\npatches:\n- path: patch.yaml\n",
		"d.yaml":             plainDeployment,
		"cm.yaml":            configMap,
		"patch.yaml":         "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {replicas: 3}\n",
	})
	values := file(t, "images: [{name: nginx, newName: registry:5000/nginx, newTag: '1.25'}]\nnamePrefix: pre-\nnameSuffix: -suf\n")
	got := chartified(t, dir, chartify.ChartifyOpts{Namespace: "ns", ValuesFiles: []string{values}, EnableKustomizeAlphaPlugins: true})
	contains(t, got, "name: pre-api-suf", "namespace: ns", "image: registry:5000/nginx:1.25", "replicas: 3", "{{ not a template }}")
}

func TestChartifyPatches(t *testing.T) {
	isolate(t)
	got := chartified(t, web(t), chartify.ChartifyOpts{
		Namespace:                   "ns",
		EnableKustomizeAlphaPlugins: true,
		IncludeCRDs:                 true,
		SetFlags:                    []string{"--set", "color=green"},
		OverrideNamespace:           "forced",
		KubeVersion:                 "1.31.0",
		JsonPatches: []string{file(t, "target: {kind: Deployment, name: shop, version: v1, group: apps}\n"+
			"patch: [{op: add, path: /spec/replicas, value: 7}]\n")},
		StrategicMergePatches: []string{file(t, "apiVersion: v1\nkind: Service\nmetadata: {name: one, namespace: forced}\nspec: {type: NodePort}\n")},
		Transformers: []string{file(t, "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: x}\n"+
			"annotations: {by: transformer}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n")},
	})
	contains(t, got, "replicas: 7", "type: NodePort", "by: transformer", "color: green", "namespace: forced", "name: two", "helm.sh/hook: test")
}

func TestChartifyForceNamespace(t *testing.T) {
	isolate(t)
	got := chartified(t, web(t), chartify.ChartifyOpts{OverrideNamespace: "forced"})
	if bytes.Count([]byte(got), []byte("namespace: forced")) != 4 {
		t.Errorf("got:\n%s", got)
	}
}

// repository serves a chart with the name redis over HTTP, declares the repository for child processes, and counts requests by path.
func repository(t *testing.T) (requests map[string]int) {
	t.Helper()
	dir := t.TempDir()
	pack(t, files(t, map[string]string{
		"Chart.yaml":        "apiVersion: v2\nname: redis\nversion: 2.1.0\n",
		"templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-{{ .Chart.Name }}'}\n",
	}), dir)
	index, err := repo.IndexDirectory(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := index.WriteFile(filepath.Join(dir, "index.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	requests = map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests[r.URL.Path]++
		http.FileServer(http.Dir(dir)).ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	err = chart.WriteRepositories(os.Getenv("HELM_REPOSITORY_CONFIG"), []release.Repository{{Name: "shopware", URL: srv.URL}})
	if err != nil {
		t.Fatal(err)
	}
	return requests
}

func TestChartifyDependencies(t *testing.T) {
	isolate(t)
	requests := repository(t)
	extra := files(t, map[string]string{
		"extra/Chart.yaml":        "apiVersion: v2\nname: extra\nversion: 0.1.0\n",
		"extra/templates/cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-extra}\n",
	}) + "/extra"
	patch := file(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-cache}\ndata: {patched: 'yes'}\n")
	got := chartified(t, web(t), chartify.ChartifyOpts{
		AdhocChartDependencies: []chartify.ChartDependency{
			{Chart: extra, Version: "0.1.0"},
			{Chart: "shopware/redis", Version: "^2", Alias: "cache"},
		},
		StrategicMergePatches: []string{patch},
	})
	contains(t, got, "from-extra", "shop-cache", `patched: "yes"`, "name: one")
	if requests["/index.yaml"] != 1 {
		t.Errorf("requests: %v", requests)
	}
}

func TestChartifyRemoteChart(t *testing.T) {
	isolate(t)
	repository(t)
	patch := file(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-redis}\ndata: {patched: 'yes'}\n")
	got := chartified(t, "shopware/redis", chartify.ChartifyOpts{ChartVersion: "2.1.0", StrategicMergePatches: []string{patch}})
	contains(t, got, "shop-redis", `patched: "yes"`)
}
