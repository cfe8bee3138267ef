//go:build unix

package crash

import (
	"os"
	"syscall"
	"time"
)

// MonitorName is the name, instead of the binary's, under which a process is a crash monitor.
const MonitorName = "helmfile-agent-crash-monitor"

// The file descriptors that a crash monitor is started with.
const (
	Crash  = 0 // what the runtime prints about the crash is read here; it ends when the run ends
	Shown  = 2 // the run's own standard error
	Output = 3 // what the run writes to its standard output and standard error can be read here
)

func init() {
	if len(os.Args) > 0 && os.Args[0] == MonitorName {
		monitor()
		os.Exit(0)
	}
}

const (
	// maxShown is how much of a crash is shown.
	maxShown = 64 << 10
	// showTimeout is how long showing a crash may take. Then the rest is thrown away, so that a standard error that is not read
	// does not keep the crashed process alive.
	showTimeout = 5 * time.Second
)

// monitor waits until the run ends, and shows its crash if there is one.
func monitor() {
	chunk := make([]byte, 4<<10)
	n := readFrom(Crash, chunk)
	if n == 0 {
		return
	}
	reason := fatalLine(unread(Output))
	go discard(Output) // or the run would wait for ever: the runtime writes to its standard error first, which the run no longer reads
	time.AfterFunc(showTimeout, func() {
		discard(Crash)
		os.Exit(0)
	})
	f := filter{show: limited(writeTo(Shown), maxShown)}
	f.show([]byte(reason))
	for ; n > 0; n = readFrom(Crash, chunk) {
		f.write(chunk[:n])
	}
	f.end()
}

// maxUnread is what a pipe holds.
const maxUnread = 64 << 10

// unread is what has been written to the run's output and the run has not read. It does not wait: the output does not block.
func unread(from int) string {
	chunk := make([]byte, maxUnread)
	n, _ := syscall.Read(from, chunk) // an error means that there is none
	return string(chunk[:max(n, 0)])
}

func discard(from int) {
	chunk := make([]byte, 32<<10)
	for readFrom(from, chunk) > 0 {
	}
}

// readFrom returns 0 at the end. An error is an end too.
func readFrom(from int, chunk []byte) int {
	for {
		n, err := syscall.Read(from, chunk)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			time.Sleep(time.Millisecond) // the output does not block, because the run reads it with a deadline
		default:
			return max(n, 0)
		}
	}
}

func writeTo(file int) func([]byte) {
	return func(text []byte) {
		for len(text) > 0 {
			n, err := syscall.Write(file, text)
			switch {
			case err == syscall.EINTR:
			case err == syscall.EAGAIN:
				time.Sleep(time.Millisecond)
			case err != nil:
				return // the reader is gone
			default:
				text = text[n:]
			}
		}
	}
}
