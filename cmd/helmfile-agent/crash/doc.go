// Package crash is the crash monitor: a process beside a run that shows where the run crashed. Go's runtime prints a crash itself, while
// everything else in the process stands still, so the run cannot mask that output. The monitor reads it instead, and leaves out what may be
// secret.
//
// This package may import only small packages of Go's standard library. Go initializes packages in the order of their import paths as soon
// as their imports are ready. So this package comes before Helm, Kubernetes and the libraries of cloud providers, and the monitor never
// initializes those.
package crash
