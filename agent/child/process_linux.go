package child

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// drain is how long children of the process that hold its pipes may delay its end.
const drain = time.Second

// ownSession lets the process be ended with all its children, and spares it the signals of a terminal. None of its descendants can join
// the agent's session, so that those which it leaves behind are found.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// Kill ends the process and its children. It does nothing once the process was waited for.
func (p *Process) Kill() {
	if !p.Ended() {
		_ = syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL) // it may have ended meanwhile
	}
}

// hideMemory keeps processes of the same user from reading this one's memory and environment in /proc.
func hideMemory() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) } // Landlock forbids it too
