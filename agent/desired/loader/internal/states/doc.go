// Package states makes helmfile load the state files, and collects the releases that they declare. It combines the other packages below
// desired/loader/internal.
//
// It may import exit, release, sandbox, desired/protocol and the packages below desired/loader/internal.
package states
