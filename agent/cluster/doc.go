// Package cluster reads the cluster and writes it, with two types: a [Reader] cannot write, a [Writer] does. It is the only
// door to client-go, and with chart and tool to the Helm SDK.
//
// It may import exit, release and chart. Desired releases come in; what Helm's storage records, what a new revision would
// hold, and the revisions made go out.
package cluster
