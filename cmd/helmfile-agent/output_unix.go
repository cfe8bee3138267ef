//go:build unix

package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// redirect replaces file descriptors 1 and 2 by a pipe, and returns the original streams, the captured output and a function that ends
// the capture. It replaces the descriptors, because libraries keep copies of os.Stdout and os.Stderr, and children inherit the
// descriptors. After the capture the descriptors lead to /dev/null: a crash before the exit must not show its message either.
func redirect() (streams, *os.File, func(), error) {
	original, err := duplicateStreams()
	if err != nil {
		return streams{}, nil, nil, fmt.Errorf("duplicate standard output and standard error: %w", err)
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
	if err := unix.SetNonblock(ends[0], true); err != nil { // a blocking file has no read deadline
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
	return original, os.NewFile(uintptr(ends[0]), "output"), func() {
		_, _ = unix.Dup2(null, 1), unix.Dup2(null, 2) // cannot fail, because Dup2 succeeded above
	}, nil
}

func duplicateStreams() (streams, error) {
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
