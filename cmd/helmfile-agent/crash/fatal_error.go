package crash

import "strings"

// fatalErrors are why the runtime itself ends a process that does something wrong.
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

const fatalBegins = "fatal error: "

// fatalLine finds the reason of a fatal error in the run's output, and is empty if there is none. The runtime writes it there only, before
// the crash begins. Other output may be secret, so a whole line must be one of the reasons. The run may have read the line's beginning.
func fatalLine(output string) string {
	for line := range strings.Lines(output) {
		reason := strings.TrimPrefix(strings.TrimSuffix(line, "\n"), fatalBegins)
		for _, known := range fatalErrors {
			if reason == known {
				return fatalBegins + known + "\n"
			}
		}
	}
	return ""
}
