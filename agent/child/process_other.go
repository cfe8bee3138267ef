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
