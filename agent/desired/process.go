package desired

import (
	"bytes"
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

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
)

// Loader is a started child process that waits for what to load.
type Loader struct {
	workspace string
	process   *exec.Cmd
	stdin     io.WriteCloser
	stdout    io.ReadCloser
	stderr    tail
	ended     chan struct{} // closed once the process was waited for
	waitErr   error
	once      sync.Once
}

// passed are the variables of the agent's environment that every loader gets.
var passed = []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "TZ"}

// Start starts the loader, so that it is ready when the checkout is. The workspace is a directory of the run; variables are the names
// of those environment variables of the agent that the helmfile may read.
func Start(workspace string, variables []string) (*Loader, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l := &Loader{workspace: filepath.Join(workspace, "loader"), ended: make(chan struct{})}
	if l.workspace, err = prepare(l.workspace); err != nil {
		return nil, fmt.Errorf("prepare the loader's workspace: %w", err)
	}
	hideMemory()
	l.process = &exec.Cmd{Path: self, Args: []string{loader.Name}, Env: environment(l.workspace, variables), Dir: l.workspace, SysProcAttr: ownGroup()}
	l.process.Stderr = &l.stderr
	l.process.WaitDelay = drain
	stdin, err1 := l.process.StdinPipe()
	stdout, stdoutEnd, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("start the loader: %w", err)
	}
	l.stdin, l.stdout, l.process.Stdout = stdin, stdout, stdoutEnd
	err = l.process.Start()
	_ = stdoutEnd.Close() // the child has its own
	if err != nil {
		_ = stdout.Close()
		return nil, fmt.Errorf("start the loader: %w", err)
	}
	go func() {
		l.waitErr = l.process.Wait()
		close(l.ended)
	}()
	return l, nil
}

// prepare returns the workspace's path without symbolic links, because the rules of the kernel and of the roots are about real paths.
func prepare(workspace string) (string, error) {
	if err := os.MkdirAll(workspace, 0o700); err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(workspace)
	if err != nil {
		return "", err
	}
	return real, loader.Prepare(real)
}

// environment is all that the loader finds: its own directories, and the variables that the operator allows.
func environment(workspace string, variables []string) []string {
	env := map[string]string{}
	for _, name := range slices.Concat(passed, variables) {
		if value, set := os.LookupEnv(name); set {
			env[name] = value
		}
	}
	maps.Copy(env, loader.Environment(workspace))
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

// Close ends the process, if it has not ended, and waits for it.
func (l *Loader) Close() {
	l.kill()
	l.close()
}

func (l *Loader) close() {
	l.once.Do(func() {
		_ = l.stdin.Close() // tells the process to end
		l.kill()
		<-l.ended
		_ = l.stdout.Close() // read only
	})
}

// reason says in words which limit the process ran into.
func (l *Loader) reason(req Request, err error) error {
	state := l.process.ProcessState
	switch {
	case errors.Is(err, protocol.ErrTooMuch):
		return fmt.Errorf("was ended: %w", err)
	case strings.Contains(l.stderr.String(), "out of memory"), strings.Contains(l.stderr.String(), "cannot allocate memory"):
		return fmt.Errorf("needed more than %d MiB of memory: make it smaller, or raise loaderMemory", req.Memory>>20)
	case req.CPU > 0 && state != nil && state.SystemTime()+state.UserTime() > req.CPU*9/10: // the kernel counts coarsely
		return fmt.Errorf("needed more than %s of CPU time: look for a template that does not end, or raise loaderTime", req.CPU)
	case strings.Contains(l.stderr.String(), "panic: "), strings.Contains(l.stderr.String(), "fatal error: "):
		return errors.New("crashed: the log at level debug says where")
	case l.waitErr != nil && !errors.As(l.waitErr, new(*exec.ExitError)):
		return fmt.Errorf("ended: %w", l.waitErr)
	}
	return fmt.Errorf("ended: %w", err)
}

// show logs what the process wrote to its standard error, after all that it wanted to be masked is known.
func (l *Loader) show(req Request) {
	if text := strings.TrimSpace(l.stderr.String()); text != "" {
		req.Log.Debug("loader", "stderr", text)
	}
}

const (
	maxTail   = 64 << 10 // bytes of the beginning, and as many of the end, of the process's standard error that are kept
	maxStderr = 64 << 20 // bytes that it may write there
)

var errStderr = fmt.Errorf("it wrote more than %d MiB to its standard error", maxStderr>>20)

// tail keeps the beginning and the end of what is written to it: a Go program says first why it ends.
type tail struct {
	mu         sync.Mutex
	head, rest bytes.Buffer
	total      int
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	if t.total += n; t.total > maxStderr {
		return 0, errStderr // the pipe is closed, which ends the process
	}
	if room := maxTail - t.head.Len(); room > 0 {
		t.head.Write(p[:min(room, len(p))])
		p = p[min(room, len(p)):]
	}
	t.rest.Write(p)
	if over := t.rest.Len() - maxTail; over > 0 {
		t.rest.Next(over)
	}
	return n, nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head.String() + t.rest.String()
}
