// Package once computes a result once, also when several goroutines ask for it at the same time.
package once
