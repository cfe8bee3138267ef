package e2e

import "testing"

// workloadExamples are about waiting for workloads, and about what is left behind when they do not become ready: the
// control plane has no nodes, so no replica ever does.
var workloadExamples = map[string]example{
	"what becomes ready is waited for": {
		repo: `
helmDefaults: {wait: true, waitForJobs: true, timeout: 30, atomic: true}
releases:
- {name: web, chart: charts/workload}
`,
		then: []string{`
helmDefaults: {wait: true, waitForJobs: true, timeout: 30, atomic: true}
releases:
- {name: web, chart: charts/workload, values: [{color: red}]}
`},
		want: "web 2 deployed workload-1.0.0",
	},

	"what does not become ready is not waited for unless the helmfile says so": {repo: `
releases:
- {name: web, chart: charts/workload, values: [{replicas: 1}], timeout: 3}
`,
		want: "web 1 deployed workload-1.0.0",
	},

	"an atomic installation that fails is uninstalled": {repo: `
releases:
- {name: web, chart: charts/workload, values: [{replicas: 1}], atomic: true, timeout: 3}
`,
		fails: 1,
	},

	"an atomic installation whose hook fails is uninstalled": {repo: `
releases:
- {name: web, chart: charts/workload, values: [{prepare: true}], atomic: true, timeout: 3}
`,
		fails: 1,
	},

	"an atomic upgrade that fails is rolled back": {
		repo: `
releases:
- {name: web, chart: charts/workload, atomic: true, timeout: 3}
`,
		then: []string{`
releases:
- {name: web, chart: charts/workload, atomic: true, timeout: 3, values: [{replicas: 1, color: red}]}
`},
		fails: 2,
		want:  "web 3 deployed workload-1.0.0",
	},

	"a failed installation is upgraded when its cause is gone": {
		repo: `
releases:
- {name: web, chart: charts/workload, wait: true, timeout: 3, values: [{replicas: 1}]}
`,
		then: []string{`
releases:
- {name: web, chart: charts/workload, wait: true, timeout: 30}
`},
		fails: 1,
		want:  "web 2 deployed workload-1.0.0",
	},

	"a failed upgrade leaves nothing new behind, and is upgraded when its cause is gone": {
		repo: `
releases:
- {name: web, chart: charts/workload}
`,
		then: []string{`
releases:
- {name: web, chart: charts/workload, wait: true, cleanupOnFail: true, timeout: 3, values: [{replicas: 1, color: red}]}
`, `
releases:
- {name: web, chart: charts/workload, wait: true, timeout: 30, values: [{color: green}]}
`},
		fails: 2,
		want:  "web 3 deployed workload-1.0.0",
	},

	"what needs a release that fails is not begun": {repo: `
releases:
- {name: database, chart: charts/workload, wait: true, timeout: 3, values: [{replicas: 1}]}
- {name: web, chart: charts/tiny, needs: [database]}
- {name: worker, chart: charts/tiny}
`,
		fails: 1,
		want:  "database 1 failed workload-1.0.0, worker 1 deployed tiny-1.0.0",
	},
}

// TestWorkloads is TestSameAsHelmfile for releases that are waited for, and that fail.
func TestWorkloads(t *testing.T) {
	t.Parallel()
	compareAll(t, workloadExamples)
}
