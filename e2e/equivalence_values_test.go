package e2e

// valuesExamples test the sources of a release's values, and their order of precedence.
var valuesExamples = map[string]example{
	"later values override earlier ones, and set overrides values": {repo: `
-- helmfile.yaml.gotmpl --
environments: {default: {values: [{color: gray}]}}
---
releases:
- name: web
  chart: charts/tiny
  values:
  - values/first.yaml
  - {second: inline, third: inline, size: {width: 2}}
  - values/third.yaml.gotmpl
  set:
  - {name: set.number, value: 4}
  - {name: set.list, values: [a, "b,c", "{d}"]}
  - {name: third, value: set}
  - {name: text, file: values/text.txt}
  setString:
  - {name: set.string, value: "5"}
-- values/first.yaml --
first: file
second: file
size: {width: 1, height: 8}
-- values/third.yaml.gotmpl --
third: template
color: {{ .Values.color }}
release: {{ .Release.Name }}-{{ .Environment.Name }}
-- values/text.txt --
Text, with: {odd} signs
`,
		want: "web 1 deployed tiny-1.0.0",
	},

	"environment values have layers": {repo: `
-- helmfile.yaml.gotmpl --
environments:
  default:
    values: [common.yaml, own.yaml.gotmpl, {size: {height: 3}}]
---
values:
- {color: unless-set, extra: default, size: {depth: 1}}
---
releases:
- {name: web, chart: charts/tiny, values: [{{ toJson .Values }}]}
-- common.yaml --
color: blue
size: {width: 1, height: 1}
list: [1, 2]
-- own.yaml.gotmpl --
color: {{ .Environment.Name }}-green
list: [3]
`,
		want: "web 1 deployed tiny-1.0.0",
	},

	"null removes what the chart sets": {repo: `
releases:
- {name: web, chart: charts/tiny, values: [{size: null, color: null}, {color: red}]}
`,
		want: "web 1 deployed tiny-1.0.0",
	},

	"removed values are not used any more": {
		repo: `
releases:
- {name: web, chart: charts/tiny, values: [{color: red, more: true}], set: [{name: size.width, value: 5}]}
`,
		then: []string{`
releases:
- {name: web, chart: charts/tiny}
`},
		want: "web 2 deployed tiny-1.0.0",
	},

	"removed values stay with reuseValues": {
		repo: `
helmDefaults: {reuseValues: true}
releases:
- {name: web, chart: charts/tiny, values: [{color: red, more: true}], set: [{name: size.width, value: 5}]}
- {name: worker, chart: charts/tiny, values: [{color: red}], reuseValues: false}
`,
		then: []string{`
helmDefaults: {reuseValues: true}
releases:
- {name: web, chart: charts/tiny, values: [{color: green}]}
- {name: worker, chart: charts/tiny, values: [{size: {width: 3}}], reuseValues: false}
`},
		want: "web 2 deployed tiny-1.0.0, worker 2 deployed tiny-1.0.0",
	},

	"helm's own flags for reused values have no effect": {
		repo: `
helmDefaults: {args: [--reset-then-reuse-values]}
releases:
- {name: web, chart: charts/tiny, values: [{color: red, more: true}]}
`,
		then: []string{`
helmDefaults: {args: [--reuse-values]}
releases:
- {name: web, chart: charts/tiny, values: [{color: green}]}
`, `
helmDefaults: {args: [--reset-then-reuse-values]}
releases:
- {name: web, chart: charts/tiny, values: [{size: {width: 2}}]}
`, `
helmDefaults: {args: [--reset-then-reuse-values], reuseValues: true}
releases:
- {name: web, chart: charts/tiny, values: [{color: red}]}
`},
		want: "web 4 deployed tiny-1.0.0",
	},

	"environment values in HCL": {repo: `
-- helmfile.yaml.gotmpl --
environments: {default: {values: [values.hcl]}}
---
releases:
- {name: web, chart: charts/tiny, values: [{{ toJson .Values }}]}
-- values.hcl --
locals { base = "gre" }
values {
  color = "${local.base}en"
  size  = { width = length(hv.list) }
  list  = [1, 2, 3]
}
`,
		want: "web 1 deployed tiny-1.0.0",
	},

	"missing values files can be skipped": {repo: `
releases:
- name: web
  chart: charts/tiny
  missingFileHandler: Warn
  valuesPathPrefix: config/
  values: [nowhere.yaml, there.yaml]
-- config/there.yaml --
color: red
`,
		want: "web 1 deployed tiny-1.0.0",
	},

	"references are resolved": {repo: `
-- helmfile.yaml.gotmpl --
environments: {default: {values: [{team: ref+file://secret.yaml#/team}]}}
---
releases:
- name: web
  chart: charts/tiny
  values:
  - color: ref+file://secret.yaml#/colors/main
    user: ref+envsubst://$WHO
    mixed: prefix-ref+echo://middle/x#/middle+-suffix
    team: {{ .Values.team }}
    fetched: {{ fetchSecretValue "ref+echo://fetched" }}
  set: [{name: size.width, value: ref+file://secret.yaml#/size}]
-- secret.yaml --
colors: {main: magenta}
size: 12
team: blue
`,
		env:  []string{"WHO=ada"},
		want: "web 1 deployed tiny-1.0.0",
	},

	"values come from environment variables": {repo: `
releases:
- {name: web, chart: charts/tiny, env: [{name: color, value: COLOR}]}
`,
		env:  []string{"COLOR=red"},
		want: "web 1 deployed tiny-1.0.0",
	},

	"numbers, dates and long texts are unchanged": {repo: `
releases:
- name: web
  chart: charts/tiny
  values:
  - big: 12345678901234567890
    account: 123456789012
    float: 1.5e3
    octal: 0755
    date: 2026-01-02
    "yes": "no"
    version: "1.10"
    text: |
      several
      lines
    "dotted.key": {"true": [1, {deep: [x, null, 2.0]}]}
`,
		want: "web 1 deployed tiny-1.0.0",
	},
}
