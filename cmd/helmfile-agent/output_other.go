//go:build !unix

package main

import "os"

// redirect catches what is written to os.Stdout and os.Stderr from now on.
func redirect() (streams, *os.File, func(), error) {
	to := streams{os.Stdout, os.Stderr}
	from, pipe, err := os.Pipe()
	if err != nil {
		return streams{}, nil, nil, err
	}
	os.Stdout, os.Stderr = pipe, pipe
	return to, from, func() {
		os.Stdout, os.Stderr = to.stdout, to.stderr
		_ = pipe.Close()
	}, nil
}

// startCrashMonitor does nothing: a monitor cannot be given files here.
func startCrashMonitor(_, _ *os.File) (stop func(), err error) { return func() {}, nil }
