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

// protections are what Landlock offers, by the version that brought it.
var protections = []struct {
	since int
	what  string
}{
	{1, "files and programs"},
	{4, "TCP"},
	{6, "signals and abstract sockets"},
}

// needed is the version that has all of them.
const needed = 6

// Confine applies the rules to this process and all its future children, for ever, and says in words what the kernel protects. With
// mode Required it fails if that is not everything.
func Confine(mode string, rules Rules) (string, error) {
	if err := limit(rules); err != nil {
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
		return "", fmt.Errorf("sandbox is required, but this kernel's Landlock has version %d, and %d is needed: use Linux 6.12 or later with landlock in its list of security modules, or set sandbox to auto", version, needed)
	}
	if version == 0 {
		return describe(version), nil
	}
	if err := restrict(rules); err != nil {
		return "", fmt.Errorf("confine this process: %w", err)
	}
	return describe(version), nil
}

// restrict asks for the newest version that the library knows and takes what the kernel has. It sets no_new_privs.
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

// readable gives a file no rights that only directories can have: Landlock refuses such a rule.
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

// limit sets the resource limits. Memory is what the process may write to; what Go only reserves does not count.
func limit(rules Rules) error {
	limits := map[int]unix.Rlimit{
		unix.RLIMIT_CORE:  {},
		unix.RLIMIT_FSIZE: {Cur: MaxFile, Max: MaxFile}, // Go ignores the signal, and the write fails
	}
	if rules.Memory > 0 {
		limits[unix.RLIMIT_DATA] = unix.Rlimit{Cur: uint64(rules.Memory), Max: uint64(rules.Memory)}
	}
	if rules.CPU > 0 {
		seconds := uint64((rules.CPU + time.Second - 1) / time.Second)
		limits[unix.RLIMIT_CPU] = unix.Rlimit{Cur: seconds, Max: seconds + 2} // the time between is for saying why it ends
		go endAtLimit()
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

// endAtLimit ends this process at its limit of CPU time, with a word that the agent looks for. Go ignores the signal by itself.
func endAtLimit() {
	reached := make(chan os.Signal, 1)
	signal.Notify(reached, unix.SIGXCPU)
	<-reached
	fmt.Fprintln(os.Stderr, "\nSIGXCPU: the limit of CPU time is reached")
	os.Exit(2)
}
