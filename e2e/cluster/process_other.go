//go:build !linux

package cluster

import "syscall"

// endWithParent can promise nothing here: only Linux tells a child that its parent died, so Stop must be called.
func endWithParent() *syscall.SysProcAttr {
	return nil
}
