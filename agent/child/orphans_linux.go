package child

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endOrphans is how long processes that a child left behind may take to end.
const endOrphans = 5 * time.Second

// adopt makes the agent the parent of what its children leave behind, so that it can be found.
func adopt() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// started holds the process IDs of children that [Start] started and that were not waited for yet.
var started sync.Map

// KillOrphans ends the processes that children left behind. Children of an orphan become the agent's when it ends, so this looks until
// none is left.
func KillOrphans() error {
	for end := time.Now().Add(endOrphans); time.Now().Before(end); time.Sleep(time.Millisecond) {
		found, err := orphans()
		if err != nil {
			return fmt.Errorf("look for processes that a child left behind: %w", err)
		}
		if len(found) == 0 {
			return nil
		}
		for _, pid := range found {
			_ = syscall.Kill(pid, syscall.SIGKILL)               // it may have ended meanwhile
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // the next round sees it otherwise
		}
	}
	return fmt.Errorf("a child left processes behind that did not end within %s", endOrphans)
}

// orphans are children of this process in other sessions that Start has not started.
func orphans() ([]int, error) {
	session, err := unix.Getsid(0)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue // no process
		}
		parent, of, err := parentOf(pid)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) || errors.Is(err, os.ErrPermission) {
			continue // it ended, or is another user's
		}
		if err != nil {
			return nil, err
		}
		if _, ours := started.Load(pid); parent == os.Getpid() && of != session && !ours {
			found = append(found, pid)
		}
	}
	return found, nil
}

// parentOf reads a process's parent and session.
func parentOf(pid int) (parent, session int, err error) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, 0, err
	}
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:]) // the name before it may hold anything
	if len(fields) < 4 {
		return 0, 0, fmt.Errorf("/proc/%d/stat is %q", pid, text)
	}
	parent, err1 := strconv.Atoi(fields[1])
	session, err2 := strconv.Atoi(fields[3])
	return parent, session, errors.Join(err1, err2)
}
