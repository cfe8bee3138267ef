package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// crashPipe holds one write at a time: the runtime goes on only after the monitor has read the one before. As the first process of a
// container the run takes the monitor with it when it exits, and what is still in the pipe is lost.
func crashPipe() (from, to *os.File, err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_DIRECT); err != nil {
		return os.Pipe() // some sandboxes know no such pipes
	}
	_, _ = unix.FcntlInt(uintptr(ends[1]), unix.F_SETPIPE_SZ, 1) // rounded up to one page, which holds one write
	return os.NewFile(uintptr(ends[0]), "crash"), os.NewFile(uintptr(ends[1]), "crash"), nil
}
