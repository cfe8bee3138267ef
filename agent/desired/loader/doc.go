// Package loader runs helmfile, in a process of its own that the kernel confines. It is the only package that imports helmfile.
//
// helmfile itself loads, templates and merges everything: this package hands it an engine that records the flags and values files which
// helmfile would have given to helm, and turns each record into a [release.Desired]. So helmfile's semantics come from helmfile's code.
// What the process may not do itself it asks the agent for, through package broker.
//
// It may import exit, release, secrets, chart, broker, sandbox and desired/protocol. An input comes in on stdin; messages and an answer
// go out on stdout.
package loader
