package e2e

import "testing"

// workloadExamples test waiting for workloads, and the result if they do not become ready. The control plane has no nodes, so no replica
// becomes ready.
var workloadExamples = map[string]example{
	"wait waits until the workloads are ready": {
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

	"without wait, the run does not wait for workloads": {repo: `
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

	"a failed installation is upgraded when its cause is corrected": {
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

	"a failed upgrade with cleanup leaves no new objects, and is upgraded when its cause is corrected": {
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

	"a release that needs a failed release is not started": {repo: `
releases:
- {name: database, chart: charts/workload, wait: true, timeout: 3, values: [{replicas: 1}]}
- {name: web, chart: charts/tiny, needs: [database]}
- {name: worker, chart: charts/tiny}
`,
		fails: 1,
		want:  "database 1 failed workload-1.0.0, worker 1 deployed tiny-1.0.0",
	},
}

// TestWorkloads does the same as TestSameAsHelmfile, for releases with wait and for releases that fail.
func TestWorkloads(t *testing.T) {
	t.Parallel()
	compareAll(t, workloadExamples)
}
