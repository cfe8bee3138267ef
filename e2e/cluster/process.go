package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	pollInterval = 20 * time.Millisecond
	killBound    = 10 * time.Second
	tailLines    = 20
)

// errPortTaken means that another process took the port before the component started.
var errPortTaken = errors.New("a port was taken meanwhile")

// process is a running component. It ends when it is stopped, or when this process ends.
type process struct {
	name string
	log  string // path of the file with its standard output and error
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // the error of the process; valid after done is closed
}

func startProcess(dir, name, path, binary string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer func() { _ = log.Close() }() // the child has its own file descriptor
	p.cmd = exec.Command(binary, args...)
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// The child inherits no environment variables, because etcd reads ETCD_* variables as flags.
	p.cmd.Env = []string{"HOME=" + dir, "PATH=" + path}
	p.cmd.SysProcAttr = endWithParent()
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// run locks its thread while the child runs, because Linux sends the parent's death signal when the thread that started the child ends.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.done)
}

// await checks until the process is ready. It returns an error when the process or the context ends.
func (p *process) await(ctx context.Context, ready func(context.Context) error) error {
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return p.failure(fmt.Errorf("%s ended before it was ready: %w", p.name, p.ending()))
		case <-ctx.Done():
			return p.failure(fmt.Errorf("wait for %s: %w (last answer: %w)", p.name, ctx.Err(), err))
		case <-time.After(pollInterval):
		}
	}
}

func (p *process) ending() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

// failure adds the last lines of the process's log to the error.
func (p *process) failure(err error) error {
	tail := p.tail()
	if strings.Contains(tail, "address already in use") {
		err = fmt.Errorf("%w: %w", errPortTaken, err)
	}
	return fmt.Errorf("%w; its log ends with:\n%s", err, tail)
}

func (p *process) tail() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// stop sends SIGTERM to the process, and kills it after the grace period.
func (p *process) stop(grace time.Duration) error {
	// An error means that the process has already ended.
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if p.ended(grace) {
		return nil
	}
	_ = p.cmd.Process.Kill()
	if p.ended(killBound) {
		return nil
	}
	return fmt.Errorf("stop %s: process %d outlived SIGKILL by %s", p.name, p.cmd.Process.Pid, killBound)
}

func (p *process) ended(within time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(within):
		return false
	}
}
