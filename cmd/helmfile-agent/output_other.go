//go:build !unix

package main

import "os"

// redirect captures what is written to os.Stdout and os.Stderr, and returns the original streams, the captured output and a function
// that ends the capture.
func redirect() (streams, *os.File, func(), error) {
	original := streams{os.Stdout, os.Stderr}
	captured, pipe, err := os.Pipe()
	if err != nil {
		return streams{}, nil, nil, err
	}
	os.Stdout, os.Stderr = pipe, pipe
	return original, captured, func() {
		os.Stdout, os.Stderr = original.stdout, original.stderr
		_ = pipe.Close()
	}, nil
}

// startCrashMonitor does nothing: on this operating system a process cannot pass the files that the monitor needs.
func startCrashMonitor(_, _ *os.File) (stop func(), err error) { return func() {}, nil }
