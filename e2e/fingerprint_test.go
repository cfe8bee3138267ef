package e2e

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// TestFingerprint checks when a release is upgraded, relabelled or unchanged.
func TestFingerprint(t *testing.T) { runStories(t, fingerprintStories) }

var fingerprintStories = map[string]func(*story){
	"a record with a fingerprint of an older version is relabelled": func(s *story) {
		s.installs(db, web)
		s.relabelled("db", `"v0-0123456789abcdef0123456789abcdef01234567"`)
		s.run().shows(converged, "db relabelled, web unchanged").says("a new fingerprint of its inputs is recorded").writes("patch secrets")
		s.has("db 1, web 1")
		s.run().shows(converged, "db unchanged, web unchanged").writes("")
	},

	"a record without a fingerprint is relabelled": func(s *story) {
		s.installs(db)
		s.relabelled("db", "null")
		s.run().shows(converged, "db relabelled").writes("patch secrets")
		s.has("db 1")
		s.run().shows(converged, "db unchanged").writes("")
	},

	"new values: an upgrade with a new fingerprint": func(s *story) {
		s.installs(db)
		before := s.fingerprint("db", 1)
		s.declares(dbRed)
		s.run().shows(converged, "db upgraded").says("values changed: color")
		if after := s.fingerprint("db", 2); after == before || after == "" {
			s.t.Errorf("the fingerprint of revision 2 is %q, that of revision 1 was %q", after, before)
		}
		s.run().shows(converged, "db unchanged").writes("")
	},

	"a value that changes no object only relabels the release": func(s *story) {
		s.installs(db)
		s.declares("- {name: db, chart: ./chart, values: [{unused: 1}]}\n")
		s.run().shows(converged, "db relabelled").writes("patch secrets")
		s.run().shows(converged, "db unchanged").writes("")
		s.has("db 1")
	},

	"a chart with random values is upgraded only when its inputs change": func(s *story) {
		dice := func(more string) {
			s.commits("releases:\n- {name: dice, chart: ./dice, values: [{sides: " + more + "}]}\n" +
				"-- dice/Chart.yaml --\napiVersion: v2\nname: dice\nversion: 1.0.0\n" +
				"-- dice/templates/a.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: dice}\ndata: {thrown: {{ randAlphaNum 20 | quote }}, at: {{ now | unixEpoch | quote }}, sides: {{ .Values.sides | quote }}}\n")
		}
		dice("6")
		s.run().shows(converged, "dice installed")
		thrown := at(s.object("configmaps/dice"), "/data/thrown")
		for range 3 {
			s.run().shows(converged, "dice unchanged").writes("")
		}
		merge("configmaps/dice", `{data: {thrown: again}}`)(s)
		s.run().shows(converged, "dice correct")
		if at(s.object("configmaps/dice"), "/data/thrown") != thrown {
			s.t.Error("the correction changed the random value")
		}
		dice("12")
		s.run().shows(converged, "dice upgraded")
		s.has("dice 2")
		s.run().shows(converged, "dice unchanged")
	},

	"a chart with random values or times is not upgraded if the fingerprint is missing or unknown": func(s *story) {
		dice := func(sides string) {
			s.commits("releases:\n- {name: dice, chart: ./dice, values: [{sides: " + sides + "}]}\n" +
				"-- dice/Chart.yaml --\napiVersion: v2\nname: dice\nversion: 1.0.0\n" +
				"-- dice/templates/a.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: dice}\ndata: {thrown: {{ randAlphaNum 20 | quote }}, at: {{ now | unixEpoch | quote }}, sides: {{ .Values.sides | quote }}}\n")
		}
		dice("6")
		s.run().shows(converged, "dice installed")
		for _, unknown := range []string{"null", `"v0-0123456789abcdef0123456789abcdef01234567"`} {
			s.relabelled("dice", unknown)
			s.run().shows(converged, "dice relabelled").writes("patch secrets")
			s.has("dice 1")
			s.run().shows(converged, "dice unchanged").writes("")
		}
		s.relabelled("dice", "null")
		dice("12")
		s.run().shows(converged, "dice upgraded")
		s.has("dice 2")
	},

	"a new kind in the cluster does not matter to a chart that does not use capabilities": func(s *story) {
		asking := "-- asking/Chart.yaml --\napiVersion: v2\nname: asking\nversion: 1.0.0\n" +
			"-- asking/templates/a.yaml --\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: asking}\ndata: {there: {{ .Capabilities.APIVersions.Has \"" + "%s/v1/Thing" + "\" | quote }}}\n"
		group := s.namespace + ".example.com"
		s.commits("releases:\n" + db + "- {name: asking, chart: ./asking}\n" + fmt.Sprintf(asking, group))
		s.run().shows(converged, "asking installed, db installed")
		s.run().shows(converged, "asking unchanged, db unchanged").writes("")
		s.defines(group)
		s.run().shows(converged, "asking upgraded, db unchanged")
		s.run().shows(converged, "asking unchanged, db unchanged").writes("")
	},

	"a template changed: an upgrade": func(s *story) {
		s.installs(db)
		s.commits("releases:\n" + db + "-- chart/templates/all.yaml --\n" + strings.Replace(storyChart["chart/templates/all.yaml"], `"blue"`, `"green"`, 1))
		s.run().shows(converged, "db upgraded").says("templates changed: ConfigMap/db")
		s.run().shows(converged, "db unchanged").writes("")
	},

	"only a comment in a template changed: the release is relabelled": func(s *story) {
		s.installs(db)
		s.commits("releases:\n" + db + "-- chart/templates/all.yaml --\n{{/* a comment */}}\n" + storyChart["chart/templates/all.yaml"])
		s.run().shows(converged, "db relabelled").writes("patch secrets")
		s.has("db 1")
		s.run().shows(converged, "db unchanged").writes("")
	},

	"a file that .helmignore leaves out does not count": func(s *story) {
		s.commits("releases:\n" + db + "-- chart/.helmignore --\nnotes.md\n-- chart/notes.md --\none\n")
		s.run().shows(converged, "db installed")
		s.commits("releases:\n" + db + "-- chart/notes.md --\ntwo\n")
		s.run().shows(converged, "db unchanged").writes("")
	},

	"a constraint that resolves to a new version: an upgrade": func(s *story) {
		charts := must(servers.NewChartRepository(servers.Options{}))(s.t)
		s.t.Cleanup(charts.Close)
		labelled := map[string]string{
			"Chart.yaml":       "apiVersion: v2\nname: small\nversion: 1.0.0\n",
			"templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {chart: {{ .Chart.Version }}}\n",
		}
		dir := checkout(s.t, labelled)
		must(charts.Add(dir))(s.t)
		s.commits("repositories: [{name: served, url: " + charts.URL + "}]\nreleases:\n- {name: db, chart: served/small, version: ^1.0.0}\n")
		s.run().shows(converged, "db installed")
		s.run().shows(converged, "db unchanged").writes("")
		must(charts.AddVersion(dir, "1.1.0"))(s.t)
		s.run().shows(converged, "db upgraded").says("chart 1.0.0 → 1.1.0")
		must(charts.AddVersion(dir, "2.0.0"))(s.t)
		s.run().shows(converged, "db unchanged").writes("")
	},

	"what the helmfile command line installed is adopted without a revision": func(s *story) {
		files := maps.Clone(storyChart)
		files["helmfile.yaml"] = "helmDefaults: {createNamespace: false}\nreleases:\n- {name: db, chart: ./chart, namespace: " + s.namespace + "}\n"
		dir := checkout(s.t, files)
		if r := s.tenant.run(dir, "helmfile", "sync"); r.code != 0 {
			s.t.Fatal(r)
		}
		s.declares(db)
		s.run().shows(converged, "db adopted")
		s.has("db 1")
		s.run().shows(converged, "db unchanged").writes("")
		if s.fingerprint("db", 1) == "" {
			s.t.Error("no fingerprint was recorded")
		}
	},
}

// relabelled writes another fingerprint, like another version of the agent.
func (s *story) relabelled(name, fingerprint string) {
	s.t.Helper()
	s.patches(name, 1, `{"metadata":{"labels":{"`+release.FingerprintLabel+`":`+fingerprint+`}}}`)
}

func (s *story) fingerprint(name string, revision int) string {
	s.t.Helper()
	return s.record(name, revision).Labels[release.FingerprintLabel]
}

// defines adds a kind Thing to the cluster, like another client, and waits until the API server serves it.
func (s *story) defines(group string) {
	s.t.Helper()
	definition := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1",
		"kind":       "CustomResourceDefinition",
		"metadata":   map[string]any{"name": "things." + group},
		"spec": map[string]any{
			"group": group,
			"scope": "Namespaced",
			"names": map[string]any{"kind": "Thing", "plural": "things"},
			"versions": []any{map[string]any{
				"name": "v1", "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object"}},
			}},
		},
	}}
	crds := must(dynamic.NewForConfig(control.Config()))(s.t).Resource(schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
	})
	must(crds.Create(s.t.Context(), definition, metav1.CreateOptions{}))(s.t)
	s.t.Cleanup(func() { check(s.t, crds.Delete(context.Background(), definition.GetName(), metav1.DeleteOptions{})) })
	kinds := must(discovery.NewDiscoveryClientForConfig(control.Config()))(s.t)
	deadline := time.Now().Add(30 * time.Second)
	for _, err := kinds.ServerResourcesForGroupVersion(group + "/v1"); err != nil; _, err = kinds.ServerResourcesForGroupVersion(group + "/v1") {
		if time.Now().After(deadline) {
			s.t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
