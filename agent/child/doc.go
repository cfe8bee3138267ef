// Package child starts this binary under another name, as a process that works for the agent and is not trusted. The process gets an
// environment of its own, and ends with the agent. Both sides exchange CBOR messages within bounds ([Writer], [Reader]).
// [Process.Reason] explains why the process ended, and which limit it reached.
//
// It imports no other package of the agent.
package child
