// Package enclosure runs a program in its own Linux namespaces for network, mounts, processes, IPC and host name. A Kubernetes node leaves
// bridges, packet filters, mounts, sandboxes and daemons on the machine. In the enclosure, all of them end with the last process, also
// after a crash, so the machine does not change. Programs in the enclosure cannot connect to other machines, because they have only the
// network that they create themselves.
//
// There is no such namespace for control groups. The program gets its own directory among them. It is removed at the end, or by the next run
// after a crash.
//
// The package needs root and Linux. It imports no package of the product.
package enclosure
