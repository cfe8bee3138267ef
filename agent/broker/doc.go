// Package broker lets a confined process ask the agent for what it may not do itself: decrypt a file, download a chart, build the
// dependencies of a chart, read the cluster.
//
// The agent serves on a Unix socket in the run's workspace ([Serve]). The loader, and the children that helmfile starts by the names
// helm and kustomize, are its clients ([Dial]). The processes that render charts have a socket of their own and ask only for the cluster. A client is not trusted: it names what it wants and gets data or a directory to copy
// from; it never names a place where the agent writes, and every request and answer has a bound.
//
// It may import exit and release.
package broker
