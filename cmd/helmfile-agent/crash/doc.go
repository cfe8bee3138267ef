// Package crash is the process beside a run that shows where the run crashed. Go's runtime prints a crash itself, while
// everything else in the process stands still, so the run cannot mask it. Another process must read it and leave out what may be secret.
//
// This package may import only small packages of Go's standard library. Go initialises packages in the order of their import paths as soon
// as their imports are ready, so this one comes before Helm, Kubernetes and the clouds' libraries. The process never initialises those.
package crash
