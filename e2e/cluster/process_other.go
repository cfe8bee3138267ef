//go:build !linux

package cluster

import "syscall"

// endWithParent does nothing here, because only Linux can signal a child when its parent dies. So tests must call Stop.
func endWithParent() *syscall.SysProcAttr {
	return nil
}
