// Package live compares live objects with the newest revisions, and corrects those that differ.
//
// It may import release, drift, kube and history.
package live
