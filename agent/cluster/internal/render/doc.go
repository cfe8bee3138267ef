// Package render makes the revision that Helm would make now, and writes nothing.
//
// It may import release, chart, kube, history, options and templates.
package render
