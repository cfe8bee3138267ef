package e2e

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	helm "helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// TestRequestsDoNotGrow checks that a run without changes sends the same requests for few and for many releases of the same kinds. It
// writes nothing, and sends no request to a chart repository or registry.
func TestRequestsDoNotGrow(t *testing.T) {
	t.Parallel()
	few, many := quietRequests(t, 10), quietRequests(t, 1000)
	t.Logf("%d requests each: %v", len(few), few)
	if diff := gocmp.Diff(few, many); diff != "" {
		t.Errorf("10 releases and 1,000: %s", diff)
	}
}

// quietRequests returns the requests of a run that has nothing to do, without further chunks of a LIST.
func quietRequests(t *testing.T, releases int) []string {
	t.Helper()
	u := newTenant(t)
	charts, registry := must(servers.NewChartRepository(servers.Options{}))(t), must(servers.NewRegistry(servers.Options{}))(t)
	t.Cleanup(charts.Close)
	t.Cleanup(registry.Close)
	chart := checkout(t, fourKinds)
	must(charts.Add(chart))(t)
	ref, _, err := registry.PushChart(chart)
	check(t, err)
	repo := newRepository(t, map[string]string{"helmfile.yaml": remoteReleases(2, charts.URL, ref)})
	u.converge("--repo", repo.url)
	multiply(t, u, releases)
	repo.commit(t, map[string]string{"helmfile.yaml": remoteReleases(releases, charts.URL, ref)}, "all of them")
	u.converge("--repo", repo.url, "--concurrency", "16") // adopts the releases that the agent did not install
	charts.Forget()
	registry.Forget()
	before := now(t)
	for _, r := range u.converge("--repo", repo.url).Releases {
		if r.Action != "unchanged" {
			t.Errorf("%s: %s: %s", r.Name, r.Action, r.Why)
		}
	}
	requested := requests(t, before, u)
	if writes := cluster.Writes(requested); len(writes) > 0 {
		t.Errorf("%d releases: writes %v", releases, writes)
	}
	if downloads := append(charts.Requests(), registry.Requests()...); len(downloads) > 0 {
		t.Errorf("%d releases: there were requests for charts: %v", releases, downloads)
	}
	counted := map[string]int{}
	for _, r := range requested {
		if !strings.Contains(r.URI, "continue=") {
			counted[r.Verb+" "+cmp.Or(r.Resource, strings.SplitN(r.URI, "?", 2)[0])]++
		}
	}
	var lines []string
	for _, line := range slices.Sorted(maps.Keys(counted)) {
		lines = append(lines, fmt.Sprintf("%d %s", counted[line], line))
	}
	return lines
}

// multiply creates the records and objects of n releases like the first. Installing so many with Helm would take minutes.
func multiply(t *testing.T, u tenant, n int) {
	t.Helper()
	config := rest.CopyConfig(control.Config())
	config.QPS = -1
	client := must(dynamic.NewForConfig(config))(t)
	records := storage.Init(driver.NewSecrets(must(kubernetes.NewForConfig(config))(t).CoreV1().Secrets(u.namespace)))
	first := must(records.Get(releaseName(0), 1))(t)
	var group errgroup.Group
	group.SetLimit(16)
	for i := 2; i < n; i++ {
		group.Go(func() error {
			copied := *first
			copied.Name, copied.Labels = releaseName(i), nil
			copied.Manifest = strings.ReplaceAll(first.Manifest, first.Name, copied.Name)
			for _, document := range releaseutil.SplitManifests(copied.Manifest) {
				if err := create(t.Context(), client, copied, document); err != nil {
					return err
				}
			}
			return records.Create(&copied)
		})
	}
	check(t, group.Wait())
}

// create creates one object like Helm.
func create(ctx context.Context, client dynamic.Interface, of helm.Release, document string) error {
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(document), object); err != nil {
		return err
	}
	object.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "Helm"})
	object.SetAnnotations(map[string]string{"meta.helm.sh/release-name": of.Name, "meta.helm.sh/release-namespace": of.Namespace})
	kind := object.GroupVersionKind()
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	_, err := client.Resource(resource).Namespace(of.Namespace).Create(ctx, object, metav1.CreateOptions{FieldManager: "helm"})
	return err
}

// fourKinds is a chart with objects of four kinds.
var fourKinds = map[string]string{
	"Chart.yaml": "apiVersion: v2\nname: four\nversion: 1.0.0\n",
	"templates/all.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {color: blue}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {password: sesame}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ .Release.Name }}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: {{ .Release.Name }}}
spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}
`,
}

// remoteReleases returns releases with exact versions: half from the repository, half from the registry.
func remoteReleases(n int, repository, ref string) string {
	var helmfile strings.Builder
	fmt.Fprintf(&helmfile, "repositories: [{name: served, url: %s}]\nhelmDefaults: {plainHttp: true}\nreleases:\n", repository)
	for i := range n {
		chart := "served/four"
		if i%2 == 0 {
			chart = ref
		}
		fmt.Fprintf(&helmfile, "- {name: %s, chart: %q, version: 1.0.0}\n", releaseName(i), chart)
	}
	return helmfile.String()
}

func releaseName(i int) string { return fmt.Sprintf("app-%04d", i) }
