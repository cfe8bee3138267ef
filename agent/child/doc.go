// Package child starts this binary once more, by another name, as a process that works for the agent and is not trusted: it has an
// environment of its own, ends with the agent, and is given and answers CBOR within bounds ([Writer], [Reader]). [Process.Reason] says
// in words which limit it ran into.
//
// It imports no other package of the agent.
package child
