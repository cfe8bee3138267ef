package broker

import (
	"fmt"
	"os"
	"path/filepath"
)

// longestSocketPath is a length that the address of a Unix socket can have on every system.
const longestSocketPath = 100

// socketPath is a path of the socket that is short enough. Call done when the path is not needed any more.
func socketPath(workspace string) (path string, done func(), err error) {
	path = filepath.Join(workspace, socketName)
	if len(path) <= longestSocketPath {
		return path, func() {}, nil
	}
	dir, err := os.Open(workspace)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), socketName), func() { _ = dir.Close() }, nil // an error here loses no data
}
