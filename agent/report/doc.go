// Package report writes the result of a run as text: for a person at a terminal ([Report.WriteText], [Report.WriteDiff],
// [Report.WriteAccess]), for programs ([Report.WriteJSON]), for the status of the pod ([Report.Termination]) and as Events
// ([Report.Events]).
//
// It makes no decisions and reads nothing but the [Report]. It hides the values of Kubernetes Secrets, because only here it is
// known which texts are values of Secrets. It does not hide credentials: the writer that the caller gives it masks them, and the
// caller masks the texts that are returned.
//
// It may import packages exit, release, source/revision, plan, apply and those below it.
package report
