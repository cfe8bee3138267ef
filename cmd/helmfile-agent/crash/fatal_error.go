package crash

import "strings"

// fatalErrors are the reasons for which the runtime itself ends a process.
var fatalErrors = []string{
	"all goroutines are asleep - deadlock!",
	"concurrent map clone and map write",
	"concurrent map iteration and map write",
	"concurrent map read and map write",
	"concurrent map writes",
	"out of memory",
	"runtime: cannot allocate memory",
	"stack overflow",
	"sync: RUnlock of unlocked RWMutex",
	"sync: Unlock of unlocked RWMutex",
	"sync: unlock of unlocked mutex",
}

const fatalPrefix = "fatal error: "

// fatalLine returns the line with the reason of a fatal error, or nothing. The runtime writes the reason only to the run's output, before
// it prints the stacks. Other output may be secret, so the whole line must be a known reason. The prefix may be missing, because the run
// may have read it already.
func fatalLine(output string) string {
	for line := range strings.Lines(output) {
		reason := strings.TrimPrefix(strings.TrimSuffix(line, "\n"), fatalPrefix)
		for _, known := range fatalErrors {
			if reason == known {
				return fatalPrefix + known + "\n"
			}
		}
	}
	return ""
}
