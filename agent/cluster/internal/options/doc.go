// Package options turns a release's options into the fields of Helm's actions.
//
// It may import release and history.
package options
