// Package enclosure runs a program in Linux namespaces of its own: network, mounts, processes, IPC and host name. A
// Kubernetes node leaves bridges, packet filters, mounts, sandboxes and daemons behind wherever it ran; here all of
// them end with the last process inside, however that ended, so that the machine is left as it was. Nothing inside
// reaches another machine: the only network is the one that the program makes for itself.
//
// Control groups cannot be had apart in the same way: the program gets a directory of its own among them, which is
// removed at the end, or by the next run after a crash.
//
// It needs root and Linux, and imports nothing of the product.
package enclosure
