// Package node tests what users install on a real node: the image in containerd, the chart in a tenant's namespace, the
// CronJob of a real controller. It needs root and Linux, and what `make bin/node` and the like have built.
package node
