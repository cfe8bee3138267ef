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

// Options say how charts are rendered.
type Options struct {
	Workspace string // a directory of the run
	Processes int    // at once, at most
	Sandbox   string // auto, required or off
	Memory    int64  // bytes that each process may use
	Remote    egress.Policy
	Cluster   func() (http.Handler, error) // answers what templates look up
	Log       *slog.Logger
}

// Pool renders charts in child processes, which it starts when they are needed. It is safe for concurrent use.
type Pool struct {
	o     Options
	slots chan struct{} // one element for each process at work

	mu     sync.Mutex
	idle   []*worker
	first  settings // what each process is told first; without a workspace before the first one
	closed bool
	served []io.Closer
}

// NewPool starts nothing yet.
func NewPool(o Options) *Pool { return &Pool{o: o, slots: make(chan struct{}, max(1, o.Processes))} }

// Close ends all processes.
func (p *Pool) Close() {
	if p == nil {
		return // the run ended before it was made
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, w := range p.idle {
		w.Close()
	}
	for _, served := range p.served {
		_ = served.Close() // its clients are gone
	}
	p.idle, p.served = nil, nil
}

// Render executes the templates of a chart until ctx ends. Errors of templates have Helm's words.
func (p *Pool) Render(ctx context.Context, r Request) ([]File, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, about(r, context.Cause(ctx))
	}
	w, err := p.take()
	if err != nil {
		return nil, about(r, err)
	}
	said, err := w.render(ctx, r)
	if err == nil && !said.Spent && ctx.Err() == nil {
		p.put(w)
	} else {
		w.Close()
	}
	p.show(w)
	switch {
	case ctx.Err() != nil:
		return nil, about(r, context.Cause(ctx))
	case err != nil:
		return nil, about(r, fmt.Errorf("the process that renders it %w", w.Reason(child.Limits{Memory: p.o.Memory}, err)))
	case said.Failed:
		return nil, errors.New(said.Reason)
	}
	return said.Files, nil
}

func about(r Request, err error) error { return fmt.Errorf("render chart %s: %w", r.Chart.Name(), err) }

// take is an idle process, or a new one.
func (p *Pool) take() (*worker, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errors.New("the run is over")
	}
	for last := len(p.idle) - 1; last >= 0; last-- {
		w := p.idle[last]
		if p.idle = p.idle[:last]; !w.Ended() {
			return w, nil
		}
		w.Close()
	}
	if p.first.Workspace == "" {
		if err := p.serve(); err != nil {
			return nil, fmt.Errorf("prepare the processes that render charts: %w", err)
		}
	}
	return startWorker(p.first)
}

func (p *Pool) put(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		w.Close()
		return
	}
	p.idle = append(p.idle, w)
}

// serve makes what the processes ask: the socket to the cluster, and the proxy to remote hosts.
func (p *Pool) serve() error {
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
	p.served = []io.Closer{socket, proxy}
	p.first = settings{
		Workspace: dir, Sandbox: p.o.Sandbox, Memory: p.o.Memory, Readable: child.Certificates(), Proxy: proxy.Port(), Ports: p.o.Remote.LoopbackPorts(),
	}
	return nil
}

// show logs what a process that has ended wrote to its standard error.
func (p *Pool) show(w *worker) {
	if text := w.Stderr(); text != "" && w.Ended() {
		p.o.Log.Debug("renderer", "stderr", text)
	}
}

// worker is a process that renders one chart at a time.
type worker struct {
	*child.Process
	out *child.Writer
}

func startWorker(first settings) (*worker, error) {
	env := child.Environment(map[string]string{"HOME": first.Workspace, "TMPDIR": first.Workspace, "PATH": ""})
	process, err := child.Start(Name, first.Workspace, env)
	if err != nil {
		return nil, fmt.Errorf("start a process: %w", err)
	}
	process.LimitMemory(first.Memory)
	w := &worker{Process: process, out: child.NewWriter(process.In, child.Trusted)}
	if err := w.out.Send(first); err != nil {
		w.Close()
		return nil, w.Reason(child.Limits{Memory: first.Memory}, err)
	}
	return w, nil
}

// maxAnswer bounds what a chart makes, in bytes. The record of a release, which is compressed, may have one MiB.
const maxAnswer = 16 << 20

var bounds = child.Bounds{Frame: maxAnswer, Stream: maxAnswer + 1<<20, Elements: 1 << 20}

// render is a process's answer. It ends the process when ctx ends.
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
	var said answer
	err = child.NewReader(w.Out, bounds).Next(&said)
	return said, err
}
