// Package exit is the only table of the process's exit codes. Every package may import it. It imports no other package of the
// agent.
//
// A package that knows the cause of an error attaches an exit code with [With]. At the end, the command gets the code with
// [Of]. If an error has several codes, the outermost one counts: a caller can replace the code of the function that it called.
package exit

import (
	"context"
	"errors"
)

// Code is the exit status of the process. Users' Jobs and alerts depend on the values: never change them.
type Code int

// No code is 2: a Go panic exits with 2, and diff --detailed-exitcode exits with 2 if there are differences.
const (
	Converged         Code = 0
	Unexpected        Code = 1
	ConfigInvalid     Code = 10
	SourceUnreachable Code = 11
	SourceRefused     Code = 12
	NotTrusted        Code = 13 // nothing returns it yet
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

// Row explains one code.
type Row struct {
	Code    Code
	Name    string // short and stable, for programs: the report's "result"
	Meaning string
	Retry   string // whether it can help to run again
}

// Table lists every code in ascending order. README.md has the same table; a test compares the two.
var Table = []Row{
	{Converged, "converged", "the cluster is as declared", "not needed"},
	{Unexpected, "unexpected", "an error without a code of its own, possibly a bug", "perhaps"},
	{ConfigInvalid, "config-invalid", "a flag, environment variable or configuration key is wrong", "no: correct the configuration"},
	{SourceUnreachable, "source-unreachable", "the repository cannot be reached or does not exist", "yes"},
	{SourceRefused, "source-refused", "the repository refuses the credentials or host key, has no such ref, is too large, or has a link that leads out of it", "no: correct the credentials, the ref or the repository"},
	{NotTrusted, "not-trusted", "reserved for the verification of signatures: nothing returns it yet", "no: sign the commit"},
	{DesiredInvalid, "desired-invalid", "the helmfile cannot be loaded, or uses something that the agent does not support", "no: correct the helmfile"},
	{SecretsUnreadable, "secrets-unreadable", "a secret cannot be decrypted", "no: provide the key"},
	{ClusterUnreached, "cluster-unreachable", "the Kubernetes API server cannot be reached, or it does not accept the agent's credentials", "yes"},
	{Forbidden, "forbidden", "the agent does not have a right that it needs; the message names the verb, the resource and the namespace", "no: grant the right"},
	{ReleasesFailed, "releases-failed", "some releases failed; all others are as declared", "perhaps"},
	{PruneRefused, "prune-refused", "a guard refused to prune a release; everything else is as declared", "no: a person must decide"},
	{Locked, "locked", "another run of this instance is in progress, or has changed something since this run began", "yes: the next run"},
	{Deadline, "deadline", "the run did not end within its timeout", "yes"},
	{Terminated, "terminated", "the process received SIGTERM or Ctrl-C and stopped cleanly", "yes"},
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

// With attaches an exit code to err. It returns nil if err is nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return coded{err, code}
}

// Of returns the exit code of err: the outermost code that was attached. Without one, it is Deadline for an expired context, and
// Unexpected for any other error. It is Converged if err is nil.
func Of(err error) Code {
	var withCode coded
	switch {
	case err == nil:
		return Converged
	case errors.As(err, &withCode):
		return withCode.code
	case errors.Is(err, context.DeadlineExceeded):
		return Deadline
	default:
		return Unexpected
	}
}
