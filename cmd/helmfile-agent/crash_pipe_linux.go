package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// crashPipe returns a pipe that holds one write at a time, so the runtime waits until the monitor has read the write before. If the run
// is the first process of a container, its exit also kills the monitor, and what is still in the pipe is lost.
func crashPipe() (reader, writer *os.File, err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_DIRECT); err != nil {
		return os.Pipe() // some sandboxes do not support such pipes
	}
	_, _ = unix.FcntlInt(uintptr(ends[1]), unix.F_SETPIPE_SZ, 1) // rounded up to one page, which holds one write
	return os.NewFile(uintptr(ends[0]), "crash"), os.NewFile(uintptr(ends[1]), "crash"), nil
}
