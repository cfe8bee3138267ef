// Package render makes, out of the chart, what is generated from it: the schema of config in chart/values.schema.json,
// chart/README.md, and the plain manifests and the kustomize base below deploy. It renders in this process, with Helm's own
// engine and Helm's own check of the values; it needs no cluster. Its tests are the chart's tests, and keep the generated
// files current: `make generate` rewrites them.
package render
