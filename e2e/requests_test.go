package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/helmfile-agent/helmfile-agent/e2e/cluster"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// TestRequestsDoNotGrow: what a run without changes asks of the API server is the same for few releases and for many of the
// same kinds, it writes nothing, and it asks neither a chart repository nor a registry.
func TestRequestsDoNotGrow(t *testing.T) {
	t.Parallel()
	few, many := quietRequests(t, 10), quietRequests(t, 300)
	t.Logf("%d requests each: %v", len(few), few)
	if diff := gocmp.Diff(few, many); diff != "" {
		t.Errorf("10 releases and 300: %s", diff)
	}
}

// quietRequests are those of a run that finds nothing to do; the next chunk of a LIST does not count.
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
	repo := newRepository(t, map[string]string{"helmfile.yaml": remoteReleases(releases, charts.URL, ref)})
	u.converge("--repo", repo.url, "--concurrency", "16")
	charts.Forget()
	registry.Forget()
	before := now(t)
	for _, r := range u.converge("--repo", repo.url).Releases {
		if r.Action != "unchanged" {
			t.Errorf("%s: %s: %s", r.Name, r.Action, r.Why)
		}
	}
	asked := requests(t, before, u)
	if writes := cluster.Writes(asked); len(writes) > 0 {
		t.Errorf("%d releases: writes %v", releases, writes)
	}
	if downloads := append(charts.Requests(), registry.Requests()...); len(downloads) > 0 {
		t.Errorf("%d releases: charts were asked for: %v", releases, downloads)
	}
	counted := map[string]int{}
	for _, r := range asked {
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

// remoteReleases are half from the repository and half from the registry, all by exact version.
func remoteReleases(n int, repository, ref string) string {
	var helmfile strings.Builder
	fmt.Fprintf(&helmfile, "repositories: [{name: served, url: %s}]\nhelmDefaults: {plainHttp: true}\nreleases:\n", repository)
	for i := range n {
		chart := "served/four"
		if i%2 == 0 {
			chart = ref
		}
		fmt.Fprintf(&helmfile, "- {name: app-%03d, chart: %q, version: 1.0.0}\n", i, chart)
	}
	return helmfile.String()
}
