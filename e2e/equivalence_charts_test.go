package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/provenance"

	"github.com/helmfile-agent/helmfile-agent/e2e/servers"
)

// chartExamples test sources of charts, and changes of charts.
var chartExamples = map[string]example{
	"a local chart with local dependencies": {repo: `
releases:
- {name: web, chart: ./charts/family, values: [{second: {enabled: true, color: red}}]}
- {name: worker, chart: charts/family}
`,
		want: "web 1 deployed family-1.0.0, worker 1 deployed family-1.0.0",
	},

	"a local chart with dependencies from repositories": {repo: `
repositories: [{name: stable, url: $HTTP}]
releases:
- {name: web, chart: charts/umbrella}
-- charts/umbrella/Chart.yaml --
apiVersion: v2
name: umbrella
version: 0.1.0
dependencies:
- {name: tiny, version: ~1.2, repository: "$HTTP"}
- {name: tiny, alias: other, version: 1.0.0, repository: "@stable"}
-- charts/umbrella/values.yaml --
other: {color: red, name: other}
`,
		want: "web 1 deployed umbrella-0.1.0",
	},

	"a chart of a repository, in the newest version": {repo: `
repositories: [{name: stable, url: $HTTP}]
releases:
- {name: web, chart: stable/tiny}
- {name: preview, chart: stable/tiny, devel: true}
`,
		want: "preview 1 deployed tiny-2.0.0-rc.1, web 1 deployed tiny-1.3.0",
	},

	"a chart of a repository, by version and by constraint": {
		repo: `
repositories: [{name: stable, url: $HTTP}]
releases:
- {name: web, chart: stable/tiny, version: 1.0.0}
- {name: worker, chart: stable/tiny, version: ~1.2}
- {name: backup, chart: stable/tiny, version: ~1.2}
`,
		then: []string{`
repositories: [{name: stable, url: $HTTP}]
releases:
- {name: web, chart: stable/tiny, version: 1.3.0}
- {name: worker, chart: stable/tiny, version: ^1.0.0}
- {name: backup, chart: stable/tiny, version: "<1.2.5"}
`},
		want: "backup 2 deployed tiny-1.2.0, web 2 deployed tiny-1.3.0, worker 2 deployed tiny-1.3.0",
	},

	"a chart of a repository that contains its dependencies": {repo: `
repositories: [{name: stable, url: $HTTP}]
releases:
- {name: web, chart: stable/family, version: 1.0.0}
`,
		want: "web 1 deployed family-1.0.0",
	},

	"a repository that asks for a password in the helmfile": {repo: `
repositories: [{name: closed, url: $CLOSED, username: ada, password: secret}]
releases:
- {name: web, chart: closed/tiny, version: 1.2.0}
`,
		want: "web 1 deployed tiny-1.2.0",
	},

	"a repository that asks for a password in the environment": {repo: `
repositories: [{name: our-own, url: $CLOSED}]
releases:
- {name: web, chart: our-own/tiny, version: 1.2.0}
`,
		env:  []string{"OUR_OWN_USERNAME=ada", "OUR_OWN_PASSWORD=secret"},
		want: "web 1 deployed tiny-1.2.0",
	},

	"a repository with a private certificate authority": {repo: `
repositories: [{name: own, url: $HTTPS, caFile: ca.pem}]
releases:
- {name: web, chart: own/tiny, version: 1.2.0}
-- ca.pem --
$CA`,
		want: "web 1 deployed tiny-1.2.0",
	},

	"a registry with a private certificate authority and a password": {repo: `
repositories: [{name: own, url: $TLSOCI, oci: true, caFile: ca.pem, username: ada, password: secret}]
releases:
- {name: web, chart: own/tiny, version: 1.2.0}
-- ca.pem --
$OCICA`,
		want: "web 1 deployed tiny-1.2.0",
	},

	"an archive": {repo: `
releases:
- {name: web, chart: ./tiny-1.2.0.tgz}
`,
		signed: true,
		want:   "web 1 deployed tiny-1.2.0",
	},

	"an archive whose signature is verified": {repo: `
helmDefaults: {verify: true, keyring: keyring.gpg}
releases:
- {name: web, chart: ./tiny-1.2.0.tgz}
`,
		signed: true,
		want:   "web 1 deployed tiny-1.2.0",
	},

	"a chart at a URL": {repo: `
releases:
- {name: web, chart: "$HTTP/tiny-1.2.0.tgz"}
`,
		want: "web 1 deployed tiny-1.2.0",
	},

	"a chart in a registry, declared as a repository": {repo: `
repositories: [{name: registry, url: $OCI, oci: true, plainHttp: true}]
releases:
- {name: web, chart: registry/tiny, version: 1.2.0}
- {name: worker, chart: registry/tiny, version: 1.2.0, values: [{color: red}]}
`,
		want: "web 1 deployed tiny-1.2.0, worker 1 deployed tiny-1.2.0",
	},

	"a chart in a registry, by reference": {
		repo: `
helmDefaults: {plainHttp: true}
releases:
- {name: exact, chart: oci://$OCI/tiny, version: 1.2.0}
- {name: range, chart: oci://$OCI/tiny, version: ~1.2}
- {name: tag, chart: "oci://$OCI/tiny:1.0.0"}
- {name: digest, chart: "oci://$OCI/tiny@$DIGEST"}
- {name: both, chart: oci://$OCI/tiny, version: "1.2.0@$DIGEST"}
`,
		then: []string{`
helmDefaults: {plainHttp: true}
releases:
- {name: exact, chart: oci://$OCI/tiny, version: 1.2.5}
- {name: range, chart: oci://$OCI/tiny, version: ~1.0}
`},
		want: "both 1 deployed tiny-1.2.0, digest 1 deployed tiny-1.2.0, exact 2 deployed tiny-1.2.5, " +
			"range 2 deployed tiny-1.0.0, tag 1 deployed tiny-1.0.0",
	},

	"a chart in a registry, in the newest version": {repo: `
releases:
- {name: web, chart: oci://$OCI/tiny, plainHttp: true}
`,
		want: "web 1 deployed tiny-1.3.0",
	},

	"a directory of manifests": {repo: `
releases:
- {name: web, chart: ./manifests, values: [{color: red}]}
-- manifests/one.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {color: blue}
-- manifests/two.yaml.gotmpl --
apiVersion: v1
kind: ConfigMap
metadata: {name: two-{{ "X" | lower }}}
`,
		want: "web 1 deployed manifests-1.0.0",
	},

	"a kustomization": {repo: `
releases:
- name: web
  chart: ./kustomization
  values: [{namePrefix: our-, images: [{name: app, newTag: "2"}]}]
-- kustomization/kustomization.yaml --
resources: [service.yaml]
labels: [{pairs: {team: blue}}]
configMapGenerator: [{name: settings, literals: [color=red]}]
-- kustomization/service.yaml --
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
`,
		want: "web 1 deployed kustomization-1.0.0",
	},

	"patches": {repo: `
releases:
- name: web
  chart: charts/tiny
  jsonPatches:
  - target: {version: v1, kind: ConfigMap, name: web}
    patch: [{op: add, path: /data/patched, value: "by JSON"}]
  strategicMergePatches: [patch.yaml.gotmpl]
- name: worker
  chart: charts/hooked
  transformers:
  - apiVersion: builtin
    kind: LabelTransformer
    metadata: {name: labels}
    labels: {team: blue}
    fieldSpecs: [{path: metadata/labels, create: true}]
-- patch.yaml.gotmpl --
{apiVersion: v1, kind: ConfigMap, metadata: {name: web, labels: {patched: by-{{ .Environment.Name }}}}}
`,
		want: "web 1 deployed tiny-1.0.0, worker 1 deployed hooked-1.0.0",
	},

	"patches of charts from a repository and a registry": {repo: `
repositories: [{name: stable, url: $HTTP}, {name: registry, url: $OCI, oci: true, plainHttp: true}]
releases:
- name: web
  chart: stable/tiny
  version: 1.2.0
  strategicMergePatches: [{apiVersion: v1, kind: ConfigMap, metadata: {name: web, annotations: {patched: "true"}}}]
- name: worker
  chart: registry/tiny
  version: 1.2.0
  strategicMergePatches: [{apiVersion: v1, kind: ConfigMap, metadata: {name: worker, annotations: {patched: "true"}}}]
- {name: plain, chart: registry/tiny, version: 1.0.0}
`,
		want: "plain 1 deployed tiny-1.0.0, web 1 deployed tiny-1.2.0, worker 1 deployed tiny-1.2.0",
	},

	// Without kubeVersion and apiVersions in the helmfile, the results would differ: the agent renders a chart to patch with the
	// capabilities of the cluster, and Helm 3 with its built-in ones.
	"a patched chart uses lookup and capabilities": {repo: `
kubeVersion: v1.30.1
apiVersions: [mars.example.com/v1]
releases:
- name: web
  chart: ./lookup
  jsonPatches:
  - target: {kind: ConfigMap, name: web}
    patch: [{op: add, path: /data/patched, value: "yes"}]
-- lookup/Chart.yaml --
{apiVersion: v2, name: lookup, version: 1.0.0}
-- lookup/templates/configmap.yaml --
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data:
  color: {{ (lookup "v1" "ConfigMap" .Release.Namespace "settings").data.color }}
  version: {{ .Capabilities.KubeVersion.Version }}
  martians: {{ .Capabilities.APIVersions.Has "mars.example.com/v1" | quote }}
`,
		found: "purple",
		want:  "web 1 deployed lookup-1.0.0",
	},

	"a chart gets more dependencies": {repo: `
repositories: [{name: stable, url: $HTTP}]
releases:
- name: web
  chart: charts/tiny
  dependencies:
  - {chart: stable/tiny, version: 1.2.0, alias: remote}
  - {chart: ./charts/claim, version: 1.0.0}
  values: [{remote: {color: red, name: remote}, claim: {service: two}}]
`,
		want: "web 1 deployed tiny-1.0.0",
	},

	"the namespace of every object is overridden": {repo: `
-- helmfile.yaml.gotmpl --
releases:
- {name: web, chart: charts/tiny, forceNamespace: {{ env "NAMESPACE" }}}
`,
		want: "web 1 deployed tiny-1.0.0",
	},

	"charts use lookup and capabilities": {repo: `
releases:
- {name: web, chart: charts/curious}
`,
		found: "purple",
		want:  "web 1 deployed curious-1.0.0",
	},
}

// serveCharts serves several versions of the chart tiny, and the chart family. It returns the replacer of the placeholders for their URLs.
func serveCharts(t *testing.T) *strings.Replacer {
	t.Helper()
	open := serve(t, servers.NewChartRepository, servers.Options{})
	closed := serve(t, servers.NewChartRepository, servers.Options{Username: "ada", Password: "secret"})
	secure := serve(t, servers.NewChartRepository, servers.Options{TLS: true})
	registry := serve(t, servers.NewRegistry, servers.Options{})
	vault := serve(t, servers.NewRegistry, servers.Options{TLS: true, Username: "ada", Password: "secret"})

	const tiny = "testdata/charts/tiny"
	digests := map[string]string{}
	for _, version := range []string{"1.0.0", "1.2.0", "1.2.5", "1.3.0", "2.0.0-rc.1"} {
		for _, r := range []*servers.ChartRepository{open, closed, secure} {
			_, err := r.AddVersion(tiny, version)
			check(t, err)
		}
		for _, r := range []*servers.Registry{registry, vault} {
			_, digest, err := r.PushChartVersion(tiny, version)
			check(t, err)
			digests[version] = digest
		}
	}
	_, err := open.Add(withDependency(t, "testdata/charts/family", tiny))
	check(t, err)
	return strings.NewReplacer(
		"$HTTPS", secure.URL, "$CA", string(secure.CA), "$HTTP", open.URL, "$CLOSED", closed.URL,
		"$OCICA", string(vault.CA), "$TLSOCI", vault.Host()+"/charts",
		"$OCI", registry.Host()+"/charts", "$DIGEST", digests["1.2.0"])
}

func serve[S interface{ Close() }](t *testing.T, start func(servers.Options) (S, error), opts servers.Options) S {
	t.Helper()
	server, err := start(opts)
	check(t, err)
	t.Cleanup(server.Close)
	return server
}

// withDependency returns a copy of a chart that contains another chart.
func withDependency(t *testing.T, chart, dependency string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), filepath.Base(chart))
	check(t, os.CopyFS(dir, os.DirFS(chart)))
	check(t, os.CopyFS(filepath.Join(dir, "charts", filepath.Base(dependency)), os.DirFS(dependency)))
	return dir
}

// signedArchive returns tiny 1.2.0 with its signature and the keyring to verify it.
func signedArchive(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	tiny, err := loader.LoadDir("testdata/charts/tiny")
	check(t, err)
	tiny.Metadata.Version = "1.2.0"
	archive, err := chartutil.Save(tiny, dir)
	check(t, err)
	key, err := openpgp.NewEntity("Ada", "", "ada@example.com", nil)
	check(t, err)
	signature, err := (&provenance.Signatory{Entity: key}).ClearSign(archive)
	check(t, err)
	var keyring bytes.Buffer
	check(t, key.Serialize(&keyring))
	write(t, dir, map[string]string{"tiny-1.2.0.tgz.prov": signature, "keyring.gpg": keyring.String()})
	return tree(t, dir)
}
