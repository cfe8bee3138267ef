// Package report turns what happened into words and numbers for every reader: a person at a terminal ([Report.WriteText],
// [Report.WriteDiff]), a program ([Report.WriteJSON]), and whoever looks at the pod ([Report.Termination]).
//
// It may import exit, release, source, plan and apply. A [Report] comes in, text goes out; nothing is decided here and
// nothing is looked up. Values of Kubernetes Secrets are hidden here, because only here they are known to be such;
// credentials are not: they are masked by the writer that is handed in, and by the caller for what is returned.
package report
