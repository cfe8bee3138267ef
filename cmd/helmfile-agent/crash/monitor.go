//go:build unix

package crash

import (
	"os"
	"syscall"
	"time"
)

// MonitorName is the name under which the binary is started as the crash monitor.
const MonitorName = "helmfile-agent-crash-monitor"

// The file descriptors that the crash monitor is started with.
const (
	TraceFD  = 0 // to read what the runtime prints about the crash; it ends when the run ends
	StderrFD = 2 // the original standard error of the run
	OutputFD = 3 // to read what the run has written to its standard output and standard error
)

func init() {
	if len(os.Args) > 0 && os.Args[0] == MonitorName {
		monitor()
		os.Exit(0)
	}
}

const (
	// maxShown is how many bytes of a crash are shown.
	maxShown = 64 << 10
	// showTimeout is how long the monitor may take to show a crash. Then it discards the rest, because the crashed process ends only
	// when the monitor has read everything.
	showTimeout = 5 * time.Second
)

// monitor waits until the run ends, and shows its crash if there is one.
func monitor() {
	chunk := make([]byte, 4<<10)
	n := readFrom(TraceFD, chunk)
	if n == 0 {
		return
	}
	reason := fatalLine(unread(OutputFD))
	go discard(OutputFD) // the runtime writes the crash to standard error first, and would wait for ever because the run no longer reads that pipe
	time.AfterFunc(showTimeout, func() {
		discard(TraceFD)
		os.Exit(0)
	})
	f := panicFilter{show: limit(writeTo(StderrFD), maxShown)}
	f.show([]byte(reason))
	for ; n > 0; n = readFrom(TraceFD, chunk) {
		f.write(chunk[:n])
	}
	f.end()
}

// maxUnread is the capacity of a pipe.
const maxUnread = 64 << 10

// unread returns the captured output that the run has not read yet. It does not wait, because the file does not block.
func unread(fd int) string {
	chunk := make([]byte, maxUnread)
	n, _ := syscall.Read(fd, chunk) // an error means that there is none
	return string(chunk[:max(n, 0)])
}

func discard(fd int) {
	chunk := make([]byte, 32<<10)
	for readFrom(fd, chunk) > 0 {
	}
}

// readFrom returns 0 at the end and for an error.
func readFrom(fd int, chunk []byte) int {
	for {
		n, err := syscall.Read(fd, chunk)
		switch err {
		case syscall.EINTR:
		case syscall.EAGAIN:
			time.Sleep(time.Millisecond) // the run has made its output non-blocking, to read it with a deadline
		default:
			return max(n, 0)
		}
	}
}

func writeTo(fd int) func([]byte) {
	return func(text []byte) {
		for len(text) > 0 {
			n, err := syscall.Write(fd, text)
			switch {
			case err == syscall.EINTR:
			case err == syscall.EAGAIN:
				time.Sleep(time.Millisecond)
			case err != nil:
				return // the other end is closed
			default:
				text = text[n:]
			}
		}
	}
}
