// Package objectdiff compares the objects of two manifests, and writes the differences as unified diffs without values of Secrets.
//
// It may import packages release and report/internal/sanitize.
package objectdiff
