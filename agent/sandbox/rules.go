package sandbox

import "time"

// The values of the setting sandbox.
const (
	Auto     = "auto"     // use what the kernel offers
	Required = "required" // refuse to read the repository without all of [Needed]
	Off      = "off"
)

// MaxFile bounds, in bytes, each file that a confined process or a child of it writes. A directory in memory counts as memory.
const MaxFile = 64 << 20

// Rules are what a confined process may do; everything else is refused. Paths that do not exist are left out.
type Rules struct {
	Executable string   // the one program that it may execute; empty for none
	Read       []string // files and directories, with all below
	Write      []string // directories that it may read and write, with all below
	Ports      []int    // TCP ports that it may connect to

	Memory int64         // bytes of private memory, of the process and each of its children; 0 sets no limit
	CPU    time.Duration // of the process and each of its children; 0 sets no limit
}

// System is what TLS and time zones need of the file system.
var System = []string{"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/usr/share/zoneinfo", "/etc/localtime"}
