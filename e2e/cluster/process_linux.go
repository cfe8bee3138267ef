package cluster

import "syscall"

// endWithParent has the kernel kill the child when this process dies, even by SIGKILL or by a test's timeout. A
// process group of its own keeps a terminal's Ctrl-C away from it: Stop decides the order of ending.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
