package sandbox

import "time"

// The values of the setting sandbox.
const (
	Auto     = "auto"     // use the protections that the kernel has
	Required = "required" // fail if a protection is missing
	Off      = "off"
)

// MaxFile is the maximum size, in bytes, of each file that a confined process or its children write. If the directory is in memory, the
// file needs memory of the container.
const MaxFile = 64 << 20

// Rules say what a confined process may do. The kernel refuses everything else. Confine ignores paths that do not exist.
type Rules struct {
	Executable string   // the only program that it may execute; empty for none
	Read       []string // files, and directories with everything below
	Write      []string // directories that it may read and write, with everything below
	Ports      []int    // TCP ports that it may connect to

	Memory int64         // bytes of private memory of the process, and of each of its children; 0 sets no limit
	CPU    time.Duration // of the process, and of each of its children; 0 sets no limit
}

// System lists the files and directories that TLS and time zones need.
var System = []string{"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/usr/share/zoneinfo", "/etc/localtime"}
