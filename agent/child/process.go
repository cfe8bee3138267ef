package child

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Process is a started child. Its own children end with it.
type Process struct {
	In  io.Writer // its standard input; the process ends when it is closed
	Out io.Reader // its standard output

	command *exec.Cmd
	stdin   io.Closer
	stdout  io.Closer
	stderr  tail
	ended   chan struct{} // closed after the process was waited for
	waitErr error
	once    sync.Once

	tooLarge atomic.Bool // LimitMemory killed it
}

// inherited are the variables of the agent's environment that every child gets.
var inherited = []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "TZ"}

// Environment is the complete environment of a child: its own variables, and from the agent's environment the inherited and the named
// ones.
func Environment(own map[string]string, named ...string) []string {
	env := map[string]string{}
	for _, name := range slices.Concat(inherited, named) {
		if value, set := os.LookupEnv(name); set {
			env[name] = value
		}
	}
	maps.Copy(env, own)
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

// Certificates lists the files and directories of certificates that the operator configured. Each child inherits the variables that name
// them.
func Certificates() []string {
	var paths []string
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR"} {
		paths = append(paths, filepath.SplitList(os.Getenv(name))...)
	}
	return paths
}

// Start starts this binary under the name, in the directory.
func Start(name, dir string, env []string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	hideMemory()
	if err := becomeSubreaper(); err != nil {
		return nil, fmt.Errorf("become the parent of orphaned processes: %w", err)
	}
	p := &Process{ended: make(chan struct{})}
	p.command = &exec.Cmd{Path: self, Args: []string{name}, Env: env, Dir: dir, SysProcAttr: ownSession(), Stderr: &p.stderr, WaitDelay: waitDelay}
	stdin, err1 := p.command.StdinPipe()
	stdout, stdoutEnd, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	p.In, p.stdin, p.Out, p.stdout, p.command.Stdout = stdin, stdin, stdout, stdout, stdoutEnd
	err = p.command.Start()
	_ = stdoutEnd.Close() // the child has a copy
	if err != nil {
		_ = stdout.Close()
		return nil, err
	}
	started.Store(p.Pid(), true)
	go func() {
		p.waitErr = p.command.Wait()
		started.Delete(p.Pid())
		close(p.ended)
	}()
	return p, nil
}

// Pid is the process ID.
func (p *Process) Pid() int { return p.command.Process.Pid }

// Ended says whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Close kills the process if it has not ended, and waits for it.
func (p *Process) Close() {
	p.Kill()
	p.once.Do(func() {
		_ = p.stdin.Close()
		<-p.ended
		_ = p.stdout.Close() // closing a pipe for reading loses nothing
	})
}

// Stderr is the beginning and the end of the standard error of the process.
func (p *Process) Stderr() string { return strings.TrimSpace(p.stderr.String()) }

// Limits are the limits that the process had.
type Limits struct {
	Memory int64         // bytes
	CPU    time.Duration // 0 for no limit
}

// Reason explains why a process gave no answer: which limit it reached, or that it crashed. The process must be closed.
func (p *Process) Reason(limits Limits, err error) error {
	stderr := p.stderr.String()
	switch {
	case errors.Is(err, ErrTooMuch):
		return fmt.Errorf("was stopped: %w", err)
	case p.tooLarge.Load(), strings.Contains(stderr, "out of memory"), strings.Contains(stderr, "cannot allocate memory"),
		strings.HasPrefix(stderr, "SIGSEGV: "): // Go's runtime prints this if it did not notice that it got no memory
		return fmt.Errorf("needed more than %d MiB of memory: make it smaller, or raise loaderMemory", limits.Memory>>20)
	case limits.CPU > 0 && p.spentCPU(limits.CPU, err):
		return fmt.Errorf("needed more than %s of CPU time: check for a template that does not end, or raise loaderTime", limits.CPU)
	case p.killedByOthers(err):
		return errors.New("was killed: if the container has too little memory, lower loaderMemory or raise the container's limit")
	case strings.Contains(stderr, "panic: "), strings.Contains(stderr, "fatal error: "):
		return errors.New("crashed: see the log at level debug")
	case p.waitErr != nil && !errors.As(p.waitErr, new(*exec.ExitError)):
		return fmt.Errorf("ended: %w", p.waitErr)
	case errors.Is(err, io.EOF):
		return errors.New("ended without an answer")
	}
	return fmt.Errorf("ended: %w", err)
}
