//go:build !unix

package loader

// makeFilesPrivate does nothing: on these systems a new file has the permissions of its directory.
func makeFilesPrivate() {}
