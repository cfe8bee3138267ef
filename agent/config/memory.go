package config

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// The default of loaderMemory. The agent itself, a renderer and what lies in a /tmp in memory need the rest of a container's limit.
const (
	memoryShare   = 40 // per cent of the container's limit
	memoryLeast   = 128 << 20
	memoryDefault = 512 << 20 // without a limit
)

// defaultMemory sets loaderMemory where nothing else has set it. The root is that of the file system.
func (b *builder) defaultMemory(root string) {
	if b.config.LoaderMemory != 0 || b.command == Destroy {
		return
	}
	b.config.LoaderMemory = memoryDefault
	if limit := memoryLimit(root); limit > 0 {
		b.config.LoaderMemory = max(limit/100*memoryShare, memoryLeast)
	}
}

// unlimited is more than any machine has. Version 1 of cgroups writes such a number where there is no limit.
const unlimited = 1 << 50

// memoryLimit is the lowest limit of this process's cgroup and of those above it, or 0 without one.
func memoryLimit(root string) int64 {
	lowest := int64(0)
	for _, file := range limitFiles(root) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			continue // another version of cgroups
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // or it is the word max
		if err == nil && limit > 0 && limit < unlimited && (lowest == 0 || limit < lowest) {
			lowest = limit
		}
	}
	return lowest
}

// limitFiles are where the limits of both versions of cgroups may be. Within a container the cgroup is often the topmost one that is
// visible, whatever its name is.
func limitFiles(root string) []string {
	files := []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"}
	text, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup")) // it exists on Linux only
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.SplitN(line, ":", 3)
		if len(fields) < 3 {
			continue
		}
		for group := path.Clean(cmp.Or(fields[2], "/")); group != "/" && group != "."; group = path.Dir(group) {
			switch {
			case fields[0] == "0":
				files = append(files, path.Join("sys/fs/cgroup", group, "memory.max"))
			case strings.Contains(","+fields[1]+",", ",memory,"):
				files = append(files, path.Join("sys/fs/cgroup/memory", group, "memory.limit_in_bytes"))
			}
		}
	}
	return files
}
