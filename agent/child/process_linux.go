package child

import (
	"errors"
	"io"
	"strings"
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

// spentCPU says whether the kernel ended the process itself at its limit of CPU time. The times that the kernel counts are no proof:
// they include those of children, which have a limit of their own.
func (p *Process) spentCPU(limit time.Duration, err error) bool {
	stderr := p.stderr.String()
	if strings.HasPrefix(stderr, "SIGXCPU: ") || strings.Contains(stderr, "\nSIGXCPU: ") { // of package sandbox
		return true
	}
	state := p.command.ProcessState // counts children too, but the process was killed
	return p.signal() == syscall.SIGXCPU || p.killedByOthers(err) && state.SystemTime()+state.UserTime() > limit
}

// killedByOthers says whether the kernel or another process killed the process. Its output ended then before the agent ended it.
func (p *Process) killedByOthers(err error) bool {
	return p.signal() == syscall.SIGKILL && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
}

// signal is the signal that ended the process, or -1.
func (p *Process) signal() syscall.Signal {
	if state := p.command.ProcessState; state != nil {
		if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return status.Signal()
		}
	}
	return -1
}
