package main

import (
	"os"
	"runtime/debug"
)

// A run is short, so frequent garbage collection costs more than it saves. The memory limit makes the collector work harder before
// the process uses much memory.
const (
	gcPercent   = 400
	memoryLimit = 192 << 20
)

// tuneGC changes nothing that the user has set with GOGC or GOMEMLIMIT.
func tuneGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
