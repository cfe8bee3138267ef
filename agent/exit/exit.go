// Package exit is the one table of the process's exit codes. It imports no other room; every room may import it.
//
// A room that knows whose fault an error is wraps it with [With]; the command asks [Of] once, at the end. The outermost
// code wins, so a room that knows better may overrule the one below it.
package exit

import (
	"context"
	"errors"
)

// Code is the status the process exits with. The values are a contract with users' Jobs and alerts: never renumber.
type Code int

// No code is 2: that is how a Go panic exits, and what diff --detailed-exitcode answers.
const (
	Converged         Code = 0
	Unexpected        Code = 1
	ConfigInvalid     Code = 10
	SourceUnreachable Code = 11
	SourceRefused     Code = 12
	NotTrusted        Code = 13
	DesiredInvalid    Code = 14
	SecretsUnreadable Code = 15
	ClusterUnreached  Code = 16
	Forbidden         Code = 17
	ReleasesFailed    Code = 18
	PruneRefused      Code = 19
	Locked            Code = 20
	Deadline          Code = 21
	Terminated        Code = 143
)

// Row explains one code to a person.
type Row struct {
	Code    Code
	Name    string // short, stable, for machines: the report's "result"
	Meaning string
	Retry   string // whether running again can help, in words
}

// Table lists every code in ascending order. README.md repeats it; a test compares the two.
var Table = []Row{
	{Converged, "converged", "the cluster is as declared, or was made so", "nothing to retry"},
	{Unexpected, "unexpected", "a fault that has no code of its own, possibly a bug", "perhaps"},
	{ConfigInvalid, "config-invalid", "a flag, environment variable or configuration key is wrong", "no: correct the configuration"},
	{SourceUnreachable, "source-unreachable", "the repository cannot be reached or does not exist", "yes"},
	{SourceRefused, "source-refused", "the repository refuses the credentials or host key, has no such ref, is too large, or has a link that leads out of it", "no: correct the credentials, the ref or the repository"},
	{NotTrusted, "not-trusted", "the revision is not signed by a trusted key", "no: sign the commit"},
	{DesiredInvalid, "desired-invalid", "the helmfile cannot be loaded, or asks for what cannot be done", "no: correct the helmfile"},
	{SecretsUnreadable, "secrets-unreadable", "a secret cannot be decrypted", "no: provide the key"},
	{ClusterUnreached, "cluster-unreachable", "the Kubernetes API cannot be reached or does not accept the identity", "yes"},
	{Forbidden, "forbidden", "the agent lacks a right: the message names verb, resource and namespace", "no: grant the right"},
	{ReleasesFailed, "releases-failed", "some releases failed; all others are as declared", "perhaps"},
	{PruneRefused, "prune-refused", "a guard refused to prune; everything else is as declared", "no: a person decides"},
	{Locked, "locked", "another run of this instance is under way, or changed what this one found", "yes: the next run"},
	{Deadline, "deadline", "the run did not end within its timeout", "yes"},
	{Terminated, "terminated", "the process was told to stop (SIGTERM) and stopped cleanly", "yes"},
}

// String is the code's name in [Table].
func (c Code) String() string {
	for _, row := range Table {
		if row.Code == c {
			return row.Name
		}
	}
	return "unknown"
}

type coded struct {
	error
	code Code
}

func (c coded) Unwrap() error { return c.error }

// With marks err with the code the process should exit with because of it. A nil err stays nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return coded{err, code}
}

// Of is the exit code for err: the outermost mark, else Deadline for an expired context, else Unexpected; Converged for nil.
func Of(err error) Code {
	var marked coded
	switch {
	case err == nil:
		return Converged
	case errors.As(err, &marked):
		return marked.code
	case errors.Is(err, context.DeadlineExceeded):
		return Deadline
	default:
		return Unexpected
	}
}
