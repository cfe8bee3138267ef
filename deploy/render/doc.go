// Package render generates files from the chart: the schema of config in chart/values.schema.json, chart/README.md, the plain
// manifests, and the kustomize base in deploy. It renders in this process, with Helm's own engine and Helm's own check of the
// values. It needs no cluster. Its tests are the tests of the chart. They also check that the generated files are current; `make
// generate` writes them.
package render
