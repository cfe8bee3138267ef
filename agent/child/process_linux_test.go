package child

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The tests start this binary under these names.
const (
	burner  = "burner"  // needs a second and a half of CPU time
	parent  = "parent"  // waits for a burner
	limited = "limited" // is a burner that may use a second
	large   = "large"   // waits for two processes that each have 64 MiB in memory
	half    = "half"    // is one of these
)

func TestMain(m *testing.M) {
	switch os.Args[0] {
	case burner:
		burn(1500 * time.Millisecond)
	case parent:
		self, _ := os.Executable()
		_ = (&exec.Cmd{Path: self, Args: []string{burner}}).Run()
	case limited:
		_ = unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: 1, Max: 3})
		burn(time.Minute)
	case large:
		self, _ := os.Executable()
		first, second := exec.Cmd{Path: self, Args: []string{half}}, exec.Cmd{Path: self, Args: []string{half}}
		_, _ = first.Start(), second.Start()
		_, _ = first.Wait(), second.Wait()
	case half:
		memory := bytes.Repeat([]byte("x"), 64<<20)
		time.Sleep(20 * time.Second)
		runtime.KeepAlive(memory)
	default:
		os.Exit(m.Run())
	}
	os.Exit(1)
}

func burn(cpu time.Duration) {
	for {
		var used unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil || time.Duration(used.Utime.Nano()+used.Stime.Nano()) > cpu {
			return
		}
	}
}

// reason starts a child and returns why it gave no answer.
func reason(t *testing.T, name string, limits Limits) string {
	t.Helper()
	p, err := Start(name, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		t.Fatal("the child does not end")
	}
	p.Close() // its standard error is complete then
	return p.Reason(limits, io.EOF).Error()
}

func TestCPUTimeOfChildrenDoesNotCount(t *testing.T) {
	if got := reason(t, parent, Limits{CPU: time.Second}); strings.Contains(got, "CPU time") {
		t.Errorf("its child used the CPU, but: %s", got)
	}
	if got := reason(t, limited, Limits{CPU: time.Second}); !strings.Contains(got, "more than 1s of CPU time") {
		t.Errorf("got %s", got)
	}
}

func TestKilledByOthers(t *testing.T) {
	p, err := Start(limited, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if got := p.Reason(Limits{CPU: time.Hour}, io.EOF).Error(); !strings.Contains(got, "was killed") {
		t.Errorf("got %s", got)
	}
	q, err := Start(limited, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	if got := q.Reason(Limits{CPU: time.Hour}, errors.New("no time left")).Error(); !strings.Contains(got, "no time left") {
		t.Errorf("the agent killed it, but: %s", got)
	}
}

func TestMemoryOfAllProcessesTogether(t *testing.T) {
	for limit, exceeds := range map[int64]bool{100 << 20: true, 1 << 30: false} {
		if got := reasonWithMemory(t, limit); strings.Contains(got, "needed more than 100 MiB of memory") != exceeds {
			t.Errorf("with a limit of %d MiB: %s", limit>>20, got)
		}
	}
}

// reasonWithMemory says why a process that needs much memory ended, or was ended after a while.
func reasonWithMemory(t *testing.T, limit int64) string {
	t.Helper()
	p, err := Start(large, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.LimitMemory(limit)
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		p.Close()
	}
	return p.Reason(Limits{Memory: limit}, errors.New("no answer")).Error()
}
