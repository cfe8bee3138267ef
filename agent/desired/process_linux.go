package desired

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// drain is how long children of the loader that hold its pipes may delay its end.
const drain = time.Second

// ownGroup lets the loader be ended with all its children, and spares it the signals of a terminal.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// kill ends the loader and its children. It does nothing once the process was waited for.
func (l *Loader) kill() {
	select {
	case <-l.ended:
	default:
		_ = syscall.Kill(-l.process.Process.Pid, syscall.SIGKILL) // it may have ended meanwhile
	}
}

// hideMemory keeps processes of the same user from reading this one's memory and environment in /proc.
func hideMemory() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) } // Landlock forbids it too
