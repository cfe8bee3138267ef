//go:build unix

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// redirect makes file descriptors 1 and 2 a pipe that is read from the second result, and returns what they were. It does so
// below Go's os.Stdout and os.Stderr, because libraries keep copies of those, and children inherit the descriptors. The third
// result makes them /dev/null and not what they were: the message of a crash between then and the exit must not be shown either.
func redirect() (streams, *os.File, func(), error) {
	to, err := keep()
	if err != nil {
		return streams{}, nil, nil, fmt.Errorf("keep standard output: %w", err)
	}
	null, err := unix.Open(os.DevNull, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return streams{}, nil, nil, fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	var ends [2]int
	if err := unix.Pipe(ends[:]); err != nil {
		return streams{}, nil, nil, fmt.Errorf("redirect output: %w", err)
	}
	unix.CloseOnExec(ends[0])
	if err := unix.SetNonblock(ends[0], true); err != nil { // or it would know no deadline
		return streams{}, nil, nil, fmt.Errorf("redirect output: %w", err)
	}
	for _, standard := range []int{1, 2} {
		if err := unix.Dup2(ends[1], standard); err != nil {
			return streams{}, nil, nil, fmt.Errorf("redirect output: %w", err)
		}
	}
	if err := unix.Close(ends[1]); err != nil {
		return streams{}, nil, nil, fmt.Errorf("redirect output: %w", err)
	}
	return to, os.NewFile(uintptr(ends[0]), "output"), func() {
		_, _ = unix.Dup2(null, 1), unix.Dup2(null, 2) // what was possible before
	}, nil
}

func keep() (streams, error) {
	var files [2]*os.File
	for i, name := range []string{"stdout", "stderr"} {
		fd, err := unix.FcntlInt(uintptr(i+1), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return streams{}, err
		}
		files[i] = os.NewFile(uintptr(fd), name)
	}
	return streams{files[0], files[1]}, nil
}
