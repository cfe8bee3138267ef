package e2e

// optionExamples test options of installations, upgrades and uninstallations.
var optionExamples = map[string]example{
	"hooks of a chart run, its tests do not": {
		repo: `
releases:
- {name: web, chart: charts/hooked}
`,
		then: []string{`
releases:
- {name: web, chart: charts/hooked, values: [{color: red}]}
`},
		want: "web 2 deployed hooked-1.0.0",
	},

	"hooks do not run if the helmfile disables them": {repo: `
helmDefaults: {syncArgs: [--no-hooks]}
releases:
- {name: web, chart: charts/hooked}
`,
		want: "web 1 deployed hooked-1.0.0",
	},

	"args are for helm uninstall too, syncArgs are not": {
		repo: `
-- helmfile.d/all.yaml --
helmDefaults: {args: [--no-hooks]}
releases:
- {name: web, chart: ../charts/hooked}
-- helmfile.d/sync.yaml --
helmDefaults: {syncArgs: [--no-hooks]}
releases:
- {name: worker, chart: ../charts/hooked}
`,
		then: []string{`
-- helmfile.d/all.yaml --
helmDefaults: {args: [--no-hooks]}
releases:
- {name: web, chart: ../charts/hooked, installed: false}
-- helmfile.d/sync.yaml --
helmDefaults: {syncArgs: [--no-hooks]}
releases:
- {name: worker, chart: ../charts/hooked, installed: false}
`},
	},

	"only some revisions are kept": {
		repo: `
helmDefaults: {historyMax: 2}
releases:
- {name: web, chart: charts/tiny}
- {name: worker, chart: charts/tiny, historyMax: 1}
`,
		then: []string{`
helmDefaults: {historyMax: 2}
releases:
- {name: web, chart: charts/tiny, values: [{color: red}]}
- {name: worker, chart: charts/tiny, historyMax: 1, values: [{color: red}]}
`, `
helmDefaults: {historyMax: 2}
releases:
- {name: web, chart: charts/tiny, values: [{color: green}]}
- {name: worker, chart: charts/tiny, historyMax: 1, values: [{color: green}]}
`},
		want: "web 3 deployed tiny-1.0.0, worker 3 deployed tiny-1.0.0",
	},

	"a release has a description and labels": {
		repo: `
commonLabels: {team: shop}
releases:
- {name: web, chart: charts/tiny, description: "first, of all", labels: {tier: front}, syncReleaseLabels: true}
- {name: worker, chart: charts/tiny, labels: {tier: back}}
`,
		then: []string{`
commonLabels: {team: shop}
releases:
- {name: web, chart: charts/tiny, description: second, labels: {layer: one}, syncReleaseLabels: true, values: [{color: red}]}
- {name: worker, chart: charts/tiny, labels: {tier: back}, values: [{color: red}]}
`},
		want: "web 2 deployed tiny-1.0.0, worker 2 deployed tiny-1.0.0",
	},

	"the defaults of all releases": {
		repo: `
helmDefaults:
  wait: true
  waitForJobs: true
  timeout: 30
  atomic: true
  cleanupOnFail: true
  createNamespace: false
  enableDNS: true
  force: false
  disableOpenAPIValidation: false
  skipDeps: false
  args: [--render-subchart-notes]
  syncArgs: [--description, "from syncArgs"]
releases:
- {name: web, chart: charts/family}
- {name: worker, chart: charts/tiny, wait: false, atomic: false, timeout: 5}
`,
		then: []string{`
helmDefaults: {wait: true, timeout: 30, force: true, args: [--wait-for-jobs, --cleanup-on-fail]}
releases:
- {name: web, chart: charts/family, values: [{tiny: {color: red}}], recreatePods: true}
- {name: worker, chart: charts/tiny, values: [{color: red}], cleanupOnFail: true}
`},
		want: "web 2 deployed family-1.0.0, worker 2 deployed tiny-1.0.0",
	},

	"values that violate the schema, without validation": {repo: `
releases:
- {name: web, chart: charts/strict, skipSchemaValidation: true, values: [{color: ultraviolet}]}
- {name: worker, chart: charts/strict, values: [{color: green}]}
`,
		want: "web 1 deployed strict-1.0.0, worker 1 deployed strict-1.0.0",
	},

	"unknown fields, without validation": {repo: `
releases:
- {name: web, chart: charts/odd, disableOpenAPIValidation: true}
`,
		want: "web 1 deployed odd-1.0.0",
	},

	"an existing object is taken over": {repo: `
releases:
- {name: settings, chart: charts/tiny, takeOwnership: true}
`,
		found: "purple",
		want:  "settings 1 deployed tiny-1.0.0",
	},

	"the CRDs of a chart are skipped": {repo: `
helmDefaults: {skipCRDs: true}
releases:
- {name: web, chart: charts/definitions}
`,
		want: "web 1 deployed definitions-1.0.0",
	},

	"a release that cannot be updated is reinstalled": {
		repo: `
releases:
- {name: web, chart: charts/claim, updateStrategy: reinstallIfForbidden}
`,
		then: []string{`
releases:
- {name: web, chart: charts/claim, updateStrategy: reinstallIfForbidden, values: [{service: two}]}
`},
		want: "web 1 deployed claim-1.0.0",
	},
}
