//go:build unix

package loader

import "syscall"

// makeFilesPrivate prevents other users from reading the files that this process writes.
func makeFilesPrivate() { syscall.Umask(0o077) }
