// Package node tests the installation on a real node: the image runs in containerd, the chart is in a tenant's namespace, and a real
// controller runs the CronJob. It needs root, Linux and the files of `make node`.
package node
