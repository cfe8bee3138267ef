package enclosure

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	cgroups      = "/sys/fs/cgroup"
	groupPrefix  = "helmfile-agent-node-"
	removeBound  = 10 * time.Second
	pollInterval = 50 * time.Millisecond
)

// controllers has the controllers that limit containers, if control groups have one hierarchy (version 2).
var controllers = []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids"}

// makeGroup creates this run's control group in every hierarchy, and returns its path below a hierarchy's root. Before that, it removes the
// groups of runs that have ended. The name has the process id of the run, to find out whether the run is still active.
func makeGroup() (group string, err error) {
	if err := removeDead(); err != nil {
		return "", err
	}
	group = "/" + groupPrefix + strconv.Itoa(os.Getpid())
	for _, hierarchy := range hierarchies() {
		if err := os.Mkdir(hierarchy+group, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("make a control group: %w", err)
		}
		delegate(hierarchy)
		delegate(hierarchy + group)
	}
	return group, nil
}

// delegate lets the directories below use the controllers. It enables each separately, because a kernel may lack some.
func delegate(directory string) {
	for _, controller := range controllers {
		// A hierarchy of version 1 has no such file, and needs none.
		if file, err := os.OpenFile(directory+"/cgroup.subtree_control", os.O_WRONLY, 0); err == nil {
			_, _ = file.WriteString("+" + controller)
			_ = file.Close()
		}
	}
}

// hierarchies returns one directory if there is one hierarchy, and otherwise one for each controller.
func hierarchies() []string {
	if _, err := os.Stat(cgroups + "/cgroup.controllers"); err == nil {
		return []string{cgroups}
	}
	found, _ := filepath.Glob(cgroups + "/*/cgroup.procs") // the pattern is valid
	for i, path := range found {
		found[i] = filepath.Dir(path)
	}
	return found
}

func removeDead() error {
	var errs []error
	for _, hierarchy := range hierarchies() {
		left, _ := filepath.Glob(hierarchy + "/" + groupPrefix + "*") // the pattern is valid
		for _, directory := range left {
			pid := strings.TrimPrefix(filepath.Base(directory), groupPrefix)
			if !alive(pid) {
				errs = append(errs, removeTree(directory))
			}
		}
	}
	return errors.Join(errs...)
}

// alive reports whether a process runs. A zombie does not count, because in some containers no process reaps orphans.
func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	state := stat[bytes.LastIndexByte(stat, ')')+1:]
	return !bytes.HasPrefix(state, []byte(" Z")) && !bytes.HasPrefix(state, []byte(" X"))
}

func removeGroup(group string) error {
	var errs []error
	for _, hierarchy := range hierarchies() {
		errs = append(errs, removeTree(hierarchy+group))
	}
	return errors.Join(errs...)
}

// removeTree removes control groups, the deepest first. It retries, because the kernel may need a moment to remove the last processes.
func removeTree(root string) error {
	var err error
	for deadline := time.Now().Add(removeBound); time.Now().Before(deadline); time.Sleep(pollInterval) {
		if err = removeDirectories(root); err == nil {
			return nil
		}
	}
	return fmt.Errorf("remove control group: %w", err)
}

func removeDirectories(root string) error {
	var directories []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			directories = append(directories, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, directory := range slices.Backward(directories) {
		if err := os.Remove(directory); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}
