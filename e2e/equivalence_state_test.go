package e2e

// stateExamples test the parts of a helmfile that determine the declared releases.
var stateExamples = map[string]example{
	"the files of helmfile.d are separate states": {repo: `
-- helmfile.d/20-web.yaml --
releases:
- {name: web, chart: ../charts/tiny}
-- helmfile.d/10-database.yaml.gotmpl --
releases:
- {name: {{ "DATABASE" | lower }}, chart: ../charts/tiny}
`,
		want: "database 1 deployed tiny-1.0.0, web 1 deployed tiny-1.0.0",
	},

	"nested helmfiles take selectors and values": {repo: `
helmfiles:
- path: apps/helmfile.yaml.gotmpl
  selectors: [tier=front]
  values:
  - {color: green}
  - shared.yaml
- path: jobs
-- shared.yaml --
size: {width: 3}
-- apps/helmfile.yaml.gotmpl --
values:
- {color: red, size: {width: 1, height: 2}}
---
releases:
- {name: web, chart: ../charts/tiny, labels: {tier: front}, values: [{{ toJson .Values }}]}
- {name: database, chart: ../charts/tiny, labels: {tier: back}}
-- jobs/helmfile.yaml --
releases:
- {name: backup, chart: ../charts/tiny}
`,
		want: "backup 1 deployed tiny-1.0.0, web 1 deployed tiny-1.0.0",
	},

	"selectors may be inherited by nested helmfiles": {repo: `
helmfiles:
- {path: apps.yaml, selectorsInherited: true}
releases:
- {name: web, chart: charts/tiny, labels: {tier: front}}
-- apps.yaml --
releases:
- {name: shop, chart: charts/tiny, labels: {tier: front}}
- {name: database, chart: charts/tiny, labels: {tier: back}}
`,
		flags: []string{"--selector", "tier=front"},
		want:  "shop 1 deployed tiny-1.0.0, web 1 deployed tiny-1.0.0",
	},

	"bases are merged, and documents follow one another": {repo: `
-- helmfile.yaml.gotmpl --
bases: [environments.yaml, defaults.yaml]
---
releases:
- name: web
  inherit: [{template: small, except: [labels]}]
  values: [{color: {{ .Values.color }}}]
-- environments.yaml --
environments: {default: {values: [{color: green}]}}
-- defaults.yaml --
helmDefaults: {syncReleaseLabels: true}
templates:
  small:
    chart: charts/tiny
    labels: {except: ed}
    values: [{size: {width: 0, height: 0}}]
`,
		want: "web 1 deployed tiny-1.0.0",
	},

	"every release inherits the default": {repo: `
defaultInherit: [common]
templates:
  common:
    chart: charts/{{ .Release.Labels.kind }}
    description: "{{ .Release.Name }} of {{ .Environment.Name }}"
    valuesTemplate: [{color: "{{ .Release.Name }}"}]
    setTemplate: [{name: size.width, value: "{{ len .Release.Name }}"}]
releases:
- {name: web, labels: {kind: tiny}}
- {name: worker, labels: {kind: hooked}}
`,
		want: "web 1 deployed tiny-1.0.0, worker 1 deployed hooked-1.0.0",
	},

	"a YAML anchor is a template too": {repo: `
templates:
  tiny: &tiny
    chart: charts/tiny
    values: [{color: green}]
releases:
- {<<: *tiny, name: web}
- {<<: *tiny, name: worker, values: [{color: red}]}
`,
		want: "web 1 deployed tiny-1.0.0, worker 1 deployed tiny-1.0.0",
	},

	"the environment decides": {repo: `
-- helmfile.yaml.gotmpl --
environments:
  default:
  production:
    values: [production.yaml, {replicas: 3}]
    missingFileHandler: Error
---
releases:
- name: web
  chart: charts/tiny
  values: [{name: {{ .Environment.Name }}, replicas: {{ .Values.replicas }}, color: {{ .Values.color | quote }}}]
{{ if eq .Environment.Name "production" }}
- {name: backup, chart: charts/tiny}
{{ end }}
-- production.yaml --
color: red
replicas: 2
`,
		flags: []string{"--environment", "production"},
		want:  "backup 1 deployed tiny-1.0.0, web 1 deployed tiny-1.0.0",
	},

	"a state file without the environment is skipped": {repo: `
helmfiles: [{path: other.yaml}]
environments: {production: {}}
---
releases:
- {name: web, chart: charts/tiny}
-- other.yaml --
releases:
- {name: other, chart: charts/tiny}
`,
		flags: []string{"--environment", "production"},
		want:  "web 1 deployed tiny-1.0.0",
	},

	"all releases go to the state's namespace": {repo: `
-- helmfile.yaml.gotmpl --
namespace: {{ env "NAMESPACE" }}
releases:
- {name: web, chart: charts/tiny, needs: [database], syncReleaseLabels: true}
- {name: database, chart: charts/tiny}
`,
		want: "database 1 deployed tiny-1.0.0, web 1 deployed tiny-1.0.0",
	},

	"a missing file of environment values is skipped if the environment allows it": {repo: `
-- helmfile.yaml.gotmpl --
environments:
  default:
    missingFileHandler: Warn
    values: ["nowhere.yaml", "{{ .Environment.Name }}.yaml"]
---
releases:
- {name: web, chart: charts/tiny, values: [{color: {{ .Values | get "color" "gray" }}, size: {width: {{ .Values.width }}}}]}
-- default.yaml --
width: 7
`,
		want: "web 1 deployed tiny-1.0.0",
	},

	"only selected releases are installed": {repo: `
commonLabels: {team: shop}
releases:
- {name: web, chart: charts/tiny, labels: {tier: front}}
- {name: worker, chart: charts/tiny, labels: {tier: back}}
- {name: database, chart: charts/tiny, labels: {tier: store}}
`,
		flags: []string{"--selector", "team=shop,tier!=back,name!=database", "--selector", "name=database"},
		want:  "database 1 deployed tiny-1.0.0, web 1 deployed tiny-1.0.0",
	},

	"a condition switches a release on and off": {
		repo: `
environments: {default: {values: [{web: {enabled: true}, worker: {enabled: false}, old: {enabled: true}}]}}
---
releases:
- {name: web, chart: charts/tiny, condition: web.enabled}
- {name: worker, chart: charts/tiny, condition: worker.enabled}
- {name: old, chart: charts/tiny, condition: old.enabled}
`,
		then: []string{`
environments: {default: {values: [{web: {enabled: true}, worker: {enabled: true}, old: {enabled: false}}]}}
---
releases:
- {name: web, chart: charts/tiny, condition: web.enabled, values: [{color: red}]}
- {name: worker, chart: charts/tiny, condition: worker.enabled}
- {name: old, chart: charts/tiny, condition: old.enabled}
`},
		want: "old 1 deployed tiny-1.0.0, web 2 deployed tiny-1.0.0, worker 1 deployed tiny-1.0.0",
	},

	"installed: false uninstalls a release, with its hooks": {
		repo: `
releases:
- {name: web, chart: charts/hooked, needs: [database]}
- {name: database, chart: charts/hooked}
- {name: never, chart: charts/tiny, installed: false}
- {name: hardly, chart: charts/tiny, installedTemplate: '{{ eq .Environment.Name "production" }}'}
`,
		then: []string{`
releases:
- {name: web, chart: charts/hooked, needs: [database], installed: false}
- {name: database, chart: charts/hooked, installed: false, deleteWait: true, deleteTimeout: 10, cascade: foreground}
- {name: never, chart: charts/tiny, installed: false}
- {name: hardly, chart: charts/tiny, installedTemplate: '{{ eq .Environment.Name "default" }}'}
`},
		want: "hardly 1 deployed tiny-1.0.0",
	},

	"needed releases come first": {repo: `
-- helmfile.yaml.gotmpl --
releases:
- {name: web, chart: charts/curious, namespace: {{ env "NAMESPACE" }}, needs: [settings]}
- {name: settings, chart: charts/tiny, namespace: {{ env "NAMESPACE" }}, needs: ["{{ env "NAMESPACE" }}/database"]}
- {name: database, chart: charts/tiny, namespace: {{ env "NAMESPACE" }}}
- {name: cache, chart: charts/tiny, needs: ["{{ env "NAMESPACE" }}/web"]}
- {name: shop, chart: charts/tiny, needs: [cache]}
`,
		want: "cache 1 deployed tiny-1.0.0, database 1 deployed tiny-1.0.0, settings 1 deployed tiny-1.0.0, " +
			"shop 1 deployed tiny-1.0.0, web 1 deployed curious-1.0.0",
	},

	"needed releases that are disabled, not installed or not selected": {repo: `
environments: {default: {values: [{cache: {enabled: false}}]}}
---
releases:
- {name: web, chart: charts/tiny, needs: [cache, queue, database], labels: {tier: front}}
- {name: cache, chart: charts/tiny, condition: cache.enabled, labels: {tier: front}}
- {name: queue, chart: charts/tiny, installed: false, labels: {tier: front}}
- {name: database, chart: charts/tiny, labels: {tier: back}}
`,
		flags: []string{"--selector", "tier=front"},
		want:  "web 1 deployed tiny-1.0.0",
	},

	"state values from flags override others": {
		path: "deploy/web.yaml.gotmpl",
		repo: `
-- deploy/web.yaml.gotmpl --
environments:
  default: {values: [{color: blue, size: {width: 1, height: 1}, list: [a, b]}]}
---
releases:
- {name: web, chart: ../charts/tiny, values: [{{ toJson .Values }}]}
-- deploy/more.yaml --
size: {height: 5}
list: [c]
`,
		flags: []string{"--state-values-file", "more.yaml", "--state-values-set", "color=red,size.width=2"},
		want:  "web 1 deployed tiny-1.0.0",
	},

	"templates read files, and use functions of sprig and helmfile": {repo: `
-- helmfile.yaml.gotmpl --
{{ $team := readFile "team.yaml" | fromYaml }}
environments: {default: {values: [{team: {{ toJson $team }}}]}}
---
{{ $team := .Values.team }}
releases:
{{- range $name, $size := $team.members }}
- name: {{ tpl "{{ .name | lower | trunc 5 }}" (dict "name" $name) }}
  chart: charts/tiny
  values:
  - size:
{{ dict "width" $size "height" ($team | get "height" 9) | toYaml | indent 6 }}
    color: {{ env "COLOR" | default "none" | b64enc | sha256sum }}
    here: {{ isFile "team.yaml" }}
{{- end }}
-- team.yaml --
members: {Ada: 1, Grace: 2}
`,
		env:  []string{"COLOR=red"},
		want: "ada 1 deployed tiny-1.0.0, grace 1 deployed tiny-1.0.0",
	},

	"locked versions are kept": {repo: `
repositories: [{name: stable, url: $HTTP}]
releases:
- {name: web, chart: stable/tiny, version: ~1.2}
-- helmfile.lock --
version: 1.8.0
dependencies:
- {name: tiny, repository: $HTTP, version: 1.2.0}
digest: sha256:e5c0d5a7f4d0f9b9a8a6f0e6c1c5a9d2a3a4b5c6d7e8f90112233445566778899
generated: "2026-01-01T00:00:00Z"
`,
		want: "web 1 deployed tiny-1.2.0",
	},
}
