package child

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// waitDelay is how long other processes that have its pipes open may delay the end of a process.
const waitDelay = time.Second

// ownSession gives the process a session of its own, so that it can be killed with all its children, and gets no signals from a terminal.
// Its descendants cannot join the session of the agent, so the agent recognizes them as orphans.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// Kill kills the process and its children. It does nothing after the process was waited for.
func (p *Process) Kill() {
	if !p.Ended() {
		_ = syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL) // it may have ended already
	}
}

// hideMemory prevents other processes of the same user from reading the memory and the environment of this process in /proc.
func hideMemory() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) } // if it fails, Landlock still prevents it

// spentCPU says whether the process ended because it reached its limit of CPU time. The CPU time alone does not prove this: it includes
// the time of children, which have their own limit.
func (p *Process) spentCPU(limit time.Duration, err error) bool {
	stderr := p.stderr.String()
	if strings.HasPrefix(stderr, "SIGXCPU: ") || strings.Contains(stderr, "\nSIGXCPU: ") { // package sandbox prints this
		return true
	}
	state := p.command.ProcessState // includes the time of children, but then the process was killed too
	return p.signal() == syscall.SIGXCPU || p.killedByOthers(err) && state.SystemTime()+state.UserTime() > limit
}

// killedByOthers says whether the kernel or another process killed the process. In that case its output ended before the agent killed it.
func (p *Process) killedByOthers(err error) bool {
	return p.signal() == syscall.SIGKILL && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
}

// signal is the signal that ended the process, or -1 if no signal did.
func (p *Process) signal() syscall.Signal {
	if state := p.command.ProcessState; state != nil {
		if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return status.Signal()
		}
	}
	return -1
}
