// Package state keeps what an instance remembers between runs, its lock, and its Events.
//
// It may import exit, release and kube.
package state
