// Package broker lets a confined process send requests to the agent for actions that the process may not do itself: decrypt a file,
// download a chart, build the dependencies of a chart, read the cluster.
//
// The agent serves on a Unix socket in the workspace of the run ([Serve]). Its clients are the loader and the children that helmfile
// starts under the names helm and kustomize ([Dial]). The processes that render charts have a socket of their own, and can only read the
// cluster. A client is not trusted. It gets data, or a directory that it copies, and cannot choose a path that the agent writes to. Every
// request and every answer has a limit.
//
// It may import exit and release.
package broker
