package main

import (
	"os"
	"runtime/debug"
)

// A run is over before collecting garbage pays: while there is little of it, collect rarely. Past the limit, which the process
// exceeds only if it holds that much at once, the collector works as hard as it must.
const (
	garbagePercent = 400
	memoryLimit    = 192 << 20
)

// tuneGarbage leaves what the Go runtime's own variables say alone.
func tuneGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
