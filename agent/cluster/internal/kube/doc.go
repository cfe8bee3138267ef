// Package kube connects to the cluster: clients, discovery, the names of the agent's own objects, and errors with their exit codes.
//
// It may import exit, release and lookup. It knows nothing of Helm's records.
package kube
