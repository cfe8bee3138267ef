// Package sandbox confines the process that reads the repository. The kernel decides with Landlock what the process may open, execute and
// connect to, and with resource limits how much memory and CPU time it may use. [Roots] checks paths inside the process: without
// Landlock, this is the only check.
//
// It imports no other package of the agent.
package sandbox
