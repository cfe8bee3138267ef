package config

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// The default of loaderMemory. The rest of the container's limit is for the agent, a renderer, and a /tmp in memory.
const (
	memoryShare   = 40 // per cent of the container's limit
	memoryMinimum = 128 << 20
	memoryDefault = 512 << 20 // without a limit
)

// defaultMemory sets loaderMemory if no source has set it. The root is the root of the file system.
func (b *builder) defaultMemory(root string) {
	if b.config.LoaderMemory != 0 || b.command == Destroy {
		return
	}
	b.config.LoaderMemory = memoryDefault
	if limit := memoryLimit(root); limit > 0 {
		b.config.LoaderMemory = max(limit/100*memoryShare, memoryMinimum)
	}
}

// unlimited is more than any machine has. Version 1 of cgroups writes such a number if there is no limit.
const unlimited = 1 << 50

// memoryLimit is the lowest limit of the cgroup of this process and of all cgroups above it; 0 without a limit.
func memoryLimit(root string) int64 {
	lowest := int64(0)
	for _, file := range limitFiles(root) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			continue // the system uses the other version of cgroups
		}
		limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // the file of a cgroup without a limit contains the word max
		if err == nil && limit > 0 && limit < unlimited && (lowest == 0 || limit < lowest) {
			lowest = limit
		}
	}
	return lowest
}

// limitFiles lists the files that can contain the limit, for both versions of cgroups. In a container, the cgroup of the process is often
// mounted as the topmost one, although /proc shows another name.
func limitFiles(root string) []string {
	files := []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"}
	text, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup")) // the file exists only on Linux
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
