// Package history reads Helm's records: which revisions there are, what they hold, and which instance owns them.
//
// It may import release and kube. It never writes.
package history
