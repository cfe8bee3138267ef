//go:build !race

// The race detector's own memory counts toward the limit: a process with it would not even start.

package child

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// crashes are children that Go's runtime ends, by the name of the process.
var crashes = map[string]struct {
	crash func()
	want  string // what the agent says
}{
	"starved": {func() {
		_ = unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: 256 << 20, Max: 256 << 20})
		large := make([]byte, 1<<30)
		for i := 0; i < len(large); i += 4 << 10 { // memory that is not touched is not always refused
			large[i] = 1
		}
	}, "needed more than 256 MiB of memory"},
	"starved slowly": {func() {
		_ = unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: 256 << 20, Max: 256 << 20})
		for all := [][]byte{}; len(all) < 1<<20; {
			all = append(all, make([]byte, 1<<12))
		}
	}, "needed more than 256 MiB of memory"},
	"panic":       {func() { panic("one") }, "crashed"},
	"fatal error": {func() { var m sync.Mutex; m.Unlock() }, "crashed"},
}

func init() {
	if is, ok := crashes[os.Args[0]]; ok {
		is.crash()
		os.Exit(0)
	}
}

// TestTheRuntimesWords fails when Go's runtime or the kernel change the words that this package looks for. docs/error-texts.md lists
// them.
func TestTheRuntimesWords(t *testing.T) {
	for name, is := range crashes {
		if got := reason(t, name, Limits{Memory: 256 << 20}); !strings.Contains(got, is.want) {
			t.Errorf("%s: got %q, want %q", name, got, is.want)
		}
	}
	if got := syscall.ENOMEM.Error(); got != "cannot allocate memory" {
		t.Errorf("a program that cannot be started for want of memory: got %q", got)
	}
}
