package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
)

// Options are the options of a Pool.
type Options struct {
	Workspace string // a directory of the run
	Processes int    // the maximum number of processes at the same time
	Sandbox   string // auto, required or off
	Memory    int64  // the maximum bytes of each process
	Remote    egress.Policy
	Cluster   func() (http.Handler, error) // handles `lookup` in templates
	Log       *slog.Logger
}

// Pool renders charts in child processes. It starts a process only when one is needed. It is safe for concurrent use.
type Pool struct {
	o     Options
	slots chan struct{} // has one element for each busy process

	mu     sync.Mutex
	idle   []*worker
	setup  settings // for each process; its workspace is empty until the services are started
	closed bool

	services []io.Closer // the socket and the proxy that the processes use
}

// NewPool makes a Pool. It starts no process.
func NewPool(o Options) *Pool { return &Pool{o: o, slots: make(chan struct{}, max(1, o.Processes))} }

// Close ends all processes.
func (p *Pool) Close() {
	if p == nil {
		return // the run ended before the pool was made
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, w := range p.idle {
		w.Close()
	}
	for _, service := range p.services {
		_ = service.Close() // it has no clients any more
	}
	p.idle, p.services = nil, nil
}

// Render executes the templates of a chart. It stops when ctx ends. Errors of templates have the same text as in Helm.
func (p *Pool) Render(ctx context.Context, r Request) ([]File, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, withChart(r, context.Cause(ctx))
	}
	w, err := p.takeWorker() //nolint:contextcheck // the services that it starts live as long as the pool
	if err != nil {
		return nil, withChart(r, err)
	}
	result, err := w.render(ctx, r)
	if err == nil && !result.Exhausted && ctx.Err() == nil {
		p.returnWorker(w)
	} else {
		w.Close()
	}
	p.logStderr(w)
	switch {
	case ctx.Err() != nil:
		return nil, withChart(r, context.Cause(ctx))
	case err != nil:
		return nil, withChart(r, fmt.Errorf("the renderer %w", w.Reason(child.Limits{Memory: p.o.Memory}, err)))
	case result.Failed:
		return nil, errors.New(result.Reason)
	}
	return result.Files, nil
}

func withChart(r Request, err error) error {
	return fmt.Errorf("render chart %s: %w", r.Chart.Name(), err)
}

// takeWorker returns an idle process, or a new one.
func (p *Pool) takeWorker() (*worker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errors.New("the run has ended")
	}
	for last := len(p.idle) - 1; last >= 0; last-- {
		w := p.idle[last]
		if p.idle = p.idle[:last]; !w.Ended() {
			return w, nil
		}
		w.Close()
	}
	if p.setup.Workspace == "" {
		if err := p.startServices(); err != nil {
			return nil, fmt.Errorf("prepare the renderers: %w", err)
		}
	}
	return startWorker(p.setup)
}

func (p *Pool) returnWorker(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		w.Close()
		return
	}
	p.idle = append(p.idle, w)
}

// startServices starts the socket to the cluster and the proxy to remote hosts, which the processes use.
func (p *Pool) startServices() error {
	dir := filepath.Join(p.o.Workspace, "renderer")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	cluster, err := p.o.Cluster()
	if err != nil {
		return err
	}
	socket, err := broker.Serve(context.Background(), dir, nil, cluster)
	if err != nil {
		return err
	}
	proxy, err := p.o.Remote.NewProxy(func(host string) { p.o.Log.Warn(egress.Refusal(host)) })
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	p.services = []io.Closer{socket, proxy}
	p.setup = settings{
		Workspace: dir, Sandbox: p.o.Sandbox, Memory: p.o.Memory, Readable: child.Certificates(), Proxy: proxy.Port(), Ports: p.o.Remote.LoopbackPorts(),
	}
	return nil
}

// logStderr logs the standard error of a process that has ended.
func (p *Pool) logStderr(w *worker) {
	if text := w.Stderr(); text != "" && w.Ended() {
		p.o.Log.Debug("renderer", "stderr", text)
	}
}

// worker is a renderer process. It renders one chart at a time.
type worker struct {
	*child.Process
	out *child.Writer
}

func startWorker(setup settings) (*worker, error) {
	env := child.Environment(map[string]string{"HOME": setup.Workspace, "TMPDIR": setup.Workspace, "PATH": ""})
	process, err := child.Start(Name, setup.Workspace, env)
	if err != nil {
		return nil, fmt.Errorf("start a renderer: %w", err)
	}
	process.LimitMemory(setup.Memory)
	w := &worker{Process: process, out: child.NewWriter(process.In, child.Trusted)}
	if err := w.out.Send(setup); err != nil {
		w.Close()
		return nil, w.Reason(child.Limits{Memory: setup.Memory}, err)
	}
	return w, nil
}

// maxAnswer is the maximum size of the rendered texts of a chart, in bytes. Kubernetes limits the compressed record of a release to one MiB.
const maxAnswer = 16 << 20

var bounds = child.Bounds{Frame: maxAnswer, Stream: maxAnswer + 1<<20, Elements: 1 << 20}

// render lets the process render a chart. It kills the process when ctx ends.
func (w *worker) render(ctx context.Context, r Request) (answer, error) {
	stop := context.AfterFunc(ctx, w.Kill)
	defer stop()
	err := w.out.Send(task{
		Chart: treeOf(r.Chart), Values: r.Values, Release: r.Release, Capabilities: r.Capabilities,
		EnableDNS: r.EnableDNS, SkipSchemaValidation: r.SkipSchemaValidation,
	})
	if err != nil {
		return answer{}, err
	}
	var result answer
	err = child.NewReader(w.Out, bounds).Next(&result)
	return result, err
}
