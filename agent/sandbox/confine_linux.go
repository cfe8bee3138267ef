package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

const (
	readDir  = ll.AccessFSReadFile | ll.AccessFSReadDir
	readFile = ll.AccessFSReadFile
	write    = readDir | ll.AccessFSWriteFile | ll.AccessFSRemoveDir | ll.AccessFSRemoveFile | ll.AccessFSMakeDir |
		ll.AccessFSMakeReg | ll.AccessFSMakeSym | ll.AccessFSMakeSock | ll.AccessFSTruncate | ll.AccessFSRefer
)

// protections lists what Landlock can restrict, and since which version.
var protections = []struct {
	since int
	what  string
}{
	{1, "files and programs"},
	{4, "TCP"},
	{6, "signals and abstract sockets"},
}

// needed is the version of Landlock that has all protections.
const needed = 6

// Confine applies the rules to this process and all its future children, permanently. It returns what the kernel protects, in words. With
// mode Required it fails if a protection is missing.
func Confine(mode string, rules Rules) (string, error) {
	if err := setLimits(rules); err != nil {
		return "", err
	}
	if mode == Off {
		return "nothing: sandbox is off", nil
	}
	version, err := ll.LandlockGetABIVersion()
	if err != nil {
		version = 0
	}
	if mode == Required && version < needed {
		return "", fmt.Errorf("sandbox is required and needs version %[2]d of Landlock, but this kernel has version %[1]d: use Linux 6.12 or later with landlock in its list of security modules, or set sandbox to auto", version, needed)
	}
	if version == 0 {
		return describe(version), nil
	}
	if err := restrict(rules); err != nil {
		return "", fmt.Errorf("confine this process: %w", err)
	}
	return describe(version), nil
}

// restrict applies the rules with the newest version that both the library and the kernel know. It also sets no_new_privs.
func restrict(rules Rules) error {
	config := landlock.V7
	paths := []landlock.Rule{
		landlock.PathAccess(readFile|ll.AccessFSWriteFile, "/dev/null").IgnoreIfMissing(),
	}
	if rules.Executable != "" {
		paths = append(paths, landlock.PathAccess(ll.AccessFSExecute|readFile, rules.Executable))
	}
	for _, path := range rules.Read {
		paths = append(paths, readable(path).IgnoreIfMissing())
	}
	for _, dir := range rules.Write {
		paths = append(paths, landlock.PathAccess(write, dir))
	}
	for _, port := range rules.Ports {
		paths = append(paths, landlock.ConnectTCP(uint16(port)))
	}
	return config.BestEffort().Restrict(paths...)
}

// readable allows to read a path. Landlock refuses a rule for a file that has rights for directories.
func readable(path string) landlock.FSRule {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err == nil && stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		return landlock.PathAccess(readFile, path)
	}
	return landlock.PathAccess(readDir, path)
}

func describe(version int) string {
	if version == 0 {
		return "nothing: the kernel has no Landlock"
	}
	var has []string
	for _, p := range protections {
		if version >= p.since {
			has = append(has, p.what)
		}
	}
	text := fmt.Sprintf("%s (Landlock version %d)", strings.Join(has, ", "), version)
	if version < needed {
		return "partly: " + text
	}
	return text
}

// setLimits sets the resource limits. The limit of memory is for writable memory, so memory that Go only reserves does not count.
func setLimits(rules Rules) error {
	limits := map[int]unix.Rlimit{
		unix.RLIMIT_CORE:  {},
		unix.RLIMIT_FSIZE: {Cur: MaxFile, Max: MaxFile}, // Go ignores the signal, so the write fails
	}
	if rules.Memory > 0 && limitsMemory {
		limits[unix.RLIMIT_DATA] = unix.Rlimit{Cur: uint64(rules.Memory), Max: uint64(rules.Memory)}
	}
	if rules.CPU > 0 {
		seconds := uint64((rules.CPU + time.Second - 1) / time.Second)
		limits[unix.RLIMIT_CPU] = unix.Rlimit{Cur: seconds, Max: seconds + 2} // the two seconds are for the message
		go exitAtCPULimit()
	}
	var errs []error
	for resource, value := range limits {
		if err := unix.Setrlimit(resource, &value); err != nil {
			errs = append(errs, fmt.Errorf("set resource limit %d: %w", resource, err))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// exitAtCPULimit ends this process at its limit of CPU time, with a message that package child looks for. By default, Go ignores the
// signal.
func exitAtCPULimit() {
	reached := make(chan os.Signal, 1)
	signal.Notify(reached, unix.SIGXCPU)
	<-reached
	fmt.Fprintln(os.Stderr, "\nSIGXCPU: the limit of CPU time is reached")
	os.Exit(2)
}
