//go:build !linux

package child

import (
	"syscall"
	"time"
)

const waitDelay = time.Second

func ownSession() *syscall.SysProcAttr { return nil }

// Kill kills the process. Its children notice that their parent is gone, and end.
func (p *Process) Kill() {
	if !p.Ended() {
		_ = p.command.Process.Kill() // it may have ended already
	}
}

func hideMemory() {}

// LimitMemory does nothing: only Linux has the sandbox.
func (p *Process) LimitMemory(int64) {}

// spentCPU is always false: only Linux has the limit.
func (p *Process) spentCPU(time.Duration, error) bool { return false }

// killedByOthers is always false: only the implementation for Linux can tell.
func (p *Process) killedByOthers(error) bool { return false }
