// Package apply executes the steps of a plan in order and returns the outcome of each. It writes through the [Writer] that the
// caller gives it.
//
// It may import packages release and plan.
package apply
