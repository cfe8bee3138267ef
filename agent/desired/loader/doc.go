// Package loader is the process that runs helmfile. The kernel confines it.
//
// [Main] receives an input on standard input, confines the process, and sends messages and an answer on standard output. The packages
// below internal do the rest: helmfile itself loads, renders and merges everything, and a recorder in place of Helm records the flags and
// values files that helmfile would pass to it. What the process may not do itself, it requests from the agent (package broker).
//
// It may import exit, broker, child, sandbox, desired/protocol and the packages below it.
package loader
