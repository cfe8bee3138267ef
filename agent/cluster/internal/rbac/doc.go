// Package rbac says which rights a change needs, and asks the API server which of them the agent has.
//
// It may import exit, release, kube and history.
package rbac
