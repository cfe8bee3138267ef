//go:build unix

package loader

import "syscall"

// privateFiles keeps other users from reading what this process writes.
func privateFiles() { syscall.Umask(0o077) }
