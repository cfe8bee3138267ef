// Package sandbox confines the process that reads the repository: what it may open, execute and connect to is decided by the kernel
// (Landlock), and how much memory and CPU time it may use (resource limits). Where the kernel cannot, [Roots] still says which paths
// the functions of this program may open.
//
// It imports no other package of the agent.
package sandbox
