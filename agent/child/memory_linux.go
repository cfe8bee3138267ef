package child

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memoryInterval is how often the agent measures the memory of a process and its children. The limit in the kernel is for one process.
const memoryInterval = 100 * time.Millisecond

// LimitMemory kills the process and its children when their memory together exceeds the limit, in bytes.
func (p *Process) LimitMemory(limit int64) {
	if limit <= 0 {
		return
	}
	go func() {
		ticks := time.NewTicker(memoryInterval)
		defer ticks.Stop()
		for {
			select {
			case <-p.ended:
				return
			case <-ticks.C:
			}
			if groupMemory(p.Pid()) > limit {
				p.tooLarge.Store(true)
				p.Kill()
				return
			}
		}
	}()
}

// groupMemory is the resident memory of a process group. It does not count shared memory, such as the binary.
func groupMemory(group int) int64 {
	processes, _ := filepath.Glob("/proc/[0-9]*") // only an invalid pattern is an error
	var sum int64
	for _, dir := range processes {
		if groupOf(dir) == group {
			sum += privateMemory(dir)
		}
	}
	return sum
}

// groupOf is the process group of a process, or 0 if the process has ended.
func groupOf(dir string) int {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return 0
	}
	name := strings.LastIndex(string(stat), ")") // the name of the program may contain any character
	fields := strings.Fields(string(stat[name+1:]))
	if len(fields) < 3 {
		return 0
	}
	group, _ := strconv.Atoi(fields[2])
	return group
}

func privateMemory(dir string) int64 {
	statm, err := os.ReadFile(filepath.Join(dir, "statm"))
	if err != nil {
		return 0
	}
	var size, resident, shared int64
	if _, err := fmt.Sscan(string(statm), &size, &resident, &shared); err != nil {
		return 0
	}
	return (resident - shared) * int64(os.Getpagesize())
}
