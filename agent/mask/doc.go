// Package mask finds the values of secrets in text and replaces them by stars.
//
// It imports no other package of the agent. Values of secrets and text come in; masked text goes out. It keeps the values only in memory.
package mask
