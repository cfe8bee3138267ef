//go:build !linux

package child

import (
	"syscall"
	"time"
)

const drain = time.Second

func ownSession() *syscall.SysProcAttr { return nil }

// Kill ends the process; its children notice that their parent is gone.
func (p *Process) Kill() {
	if !p.Ended() {
		_ = p.command.Process.Kill() // it may have ended meanwhile
	}
}

func hideMemory() {}

// LimitMemory does nothing: the sandbox exists on Linux only.
func (p *Process) LimitMemory(int64) {}

// spentCPU is never true: only Linux has the limit.
func (p *Process) spentCPU(time.Duration, error) bool { return false }

// killedByOthers is not known here.
func (p *Process) killedByOthers(error) bool { return false }
