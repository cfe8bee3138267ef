package enclosure

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// scratch is the directory for all writes in the enclosure. It is in memory, so no files remain.
const scratch = "/run/enclosure"

// supervise is the first process in the enclosure. It prepares the enclosure and starts the program. Like an init process, it waits for
// orphaned processes. The enclosure ends when it returns.
func supervise(group string) (code int, err error) {
	if err := furnish(); err != nil {
		return 0, err
	}
	cmd := again("inside:" + group)
	cmd.Env = append(cmd.Env, "TMPDIR="+scratch)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return collect(cmd.Process.Pid)
}

// collect waits for all processes until the child has ended.
func collect(child int) (code int, err error) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("wait for processes: %w", err)
		}
		if pid == child && status.Signaled() {
			return 128 + int(status.Signal()), nil
		}
		if pid == child && status.Exited() {
			return status.ExitStatus(), nil
		}
	}
}

// furnish mounts a separate /proc, and memory at all paths to which a node writes.
func furnish() error {
	// Without this, mounts in the enclosure would appear on the machine.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts apart: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	if err := os.Mkdir(scratch, 0o1777); err != nil {
		return err
	}
	// CNI and the kubelet write to fixed paths here.
	for _, dir := range []string{"/var/lib", "/var/log"} {
		if err := shadow(dir); err != nil {
			return fmt.Errorf("shadow %s: %w", dir, err)
		}
	}
	return nil
}

// shadow mounts an overlay over a directory, so that writes go to memory.
func shadow(dir string) error {
	base := filepath.Join("/run/shadow", dir)
	upper, work := filepath.Join(base, "upper"), filepath.Join(base, "work")
	for _, made := range []string{upper, work} {
		if err := os.MkdirAll(made, 0o755); err != nil {
			return err
		}
	}
	return syscall.Mount("overlay", dir, "overlay", 0, "lowerdir="+dir+",upperdir="+upper+",workdir="+work)
}
