package child

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memoryInterval is how often the memory of a process and its children is looked at. The kernel's own limit is for one process.
const memoryInterval = 100 * time.Millisecond

// LimitMemory kills the process and its children when together they have more bytes in memory.
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

// groupMemory is the resident size of a process group, without what its processes share, such as the binary.
func groupMemory(group int) int64 {
	processes, _ := filepath.Glob("/proc/[0-9]*") // its only error is about the pattern
	var sum int64
	for _, dir := range processes {
		if groupOf(dir) == group {
			sum += privateMemory(dir)
		}
	}
	return sum
}

// groupOf is the process group of a process, or 0 if it has ended meanwhile.
func groupOf(dir string) int {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return 0
	}
	name := strings.LastIndex(string(stat), ")") // the program's name may contain anything
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
