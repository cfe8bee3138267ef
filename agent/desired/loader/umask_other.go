//go:build !unix

package loader

// privateFiles does nothing: on these systems a file has the rights of its directory.
func privateFiles() {}
