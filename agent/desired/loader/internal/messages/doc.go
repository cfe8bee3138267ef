// Package messages rewrites the errors and log lines of helmfile for users of the agent.
//
// It may import exit, secrets and desired/loader/internal/parts.
package messages
