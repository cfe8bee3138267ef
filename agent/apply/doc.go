// Package apply does the steps of a plan in order and says what became of each.
//
// It may import release and plan; what it writes with is handed in.
package apply
