package cluster

import "syscall"

// endWithParent makes the kernel kill the child when this process dies, even by SIGKILL or a test's timeout. The child has its own process
// group, so that Ctrl-C in a terminal does not end it. Stop decides the order in which processes end.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
