package secrets

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// forgetEnvironment overwrites what /proc/self/environ shows: the environment as this process was started with, whatever
// was unset since, for any template that reads the file. Go has its own copy of the variables. It does nothing on systems
// that have no such file.
func forgetEnvironment() {
	from, to, ok := initialEnvironment()
	if !ok {
		return
	}
	memory, err := os.OpenFile("/proc/self/mem", os.O_WRONLY, 0)
	if err != nil {
		return // a kernel that forbids it; the variables are out of reach of the functions env and requiredEnv all the same
	}
	defer memory.Close()
	_, _ = memory.WriteAt(make([]byte, to-from), from)
}

// initialEnvironment is where the kernel reads it: the fields 50 and 51 of /proc/self/stat, of which the second is a name
// in parentheses that may contain anything.
func initialEnvironment() (from, to int64, ok bool) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, 0, false
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const first = 3 // the field after the name
	if len(fields) <= 51-first {
		return 0, 0, false
	}
	from, err1 := strconv.ParseInt(fields[50-first], 10, 64)
	to, err2 := strconv.ParseInt(fields[51-first], 10, 64)
	return from, to, err1 == nil && err2 == nil && 0 < from && from < to
}
