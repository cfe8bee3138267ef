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

// orphanTimeout is the time that orphaned processes have to end.
const orphanTimeout = 5 * time.Second

// becomeSubreaper makes the agent the parent of processes whose parent has ended, so that the agent can find them.
func becomeSubreaper() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// started contains the process IDs of the children that [Start] started and that have not been waited for.
var started sync.Map

// KillOrphans kills the processes that children left running. When an orphan ends, its own children become orphans of the agent, so
// KillOrphans repeats until there are none.
func KillOrphans() error {
	for end := time.Now().Add(orphanTimeout); time.Now().Before(end); time.Sleep(time.Millisecond) {
		found, err := orphans()
		if err != nil {
			return fmt.Errorf("find processes that a child left running: %w", err)
		}
		if len(found) == 0 {
			return nil
		}
		for _, pid := range found {
			_ = syscall.Kill(pid, syscall.SIGKILL)               // it may have ended already
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // if it has not ended yet, the next round waits for it
		}
	}
	return fmt.Errorf("a child left processes running that did not end within %s", orphanTimeout)
}

// orphans lists the children of this process in other sessions that Start did not start.
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
			continue // this entry is not a process
		}
		parent, processSession, err := parentOf(pid)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) || errors.Is(err, os.ErrPermission) {
			continue // it has ended, or belongs to another user
		}
		if err != nil {
			return nil, err
		}
		if _, ours := started.Load(pid); parent == os.Getpid() && processSession != session && !ours {
			found = append(found, pid)
		}
	}
	return found, nil
}

// parentOf reads the parent and the session of a process.
func parentOf(pid int) (parent, session int, err error) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, 0, err
	}
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:]) // the name before it may contain any character
	if len(fields) < 4 {
		return 0, 0, fmt.Errorf("/proc/%d/stat is %q", pid, text)
	}
	parent, err1 := strconv.Atoi(fields[1])
	session, err2 := strconv.Atoi(fields[3])
	return parent, session, errors.Join(err1, err2)
}
