package desired

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/child"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/mask"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/secrets"
)

// Request says what to load and where.
type Request struct {
	Dir         string // the checkout
	Path        string // the state file or directory within it; empty for helmfile's own search
	Environment string
	Selectors   []string
	// StateValuesSet and StateValuesFile are helmfile's options of the same names.
	StateValuesSet, StateValuesFile []string

	Namespace   string // where releases go that name no namespace
	KubeContext string // the one context a helmfile may name; empty allows none
	Concurrency int

	Sandbox string // auto, required or off
	Memory  int64  // bytes that the loader may use
	CPU     time.Duration

	Remote  egress.Policy // hosts that the loader may reach
	Charts  *chart.Store  // confined to the checkout and the workspace
	Keys    *secrets.Keys
	Mask    *mask.Mask
	Cluster http.Handler // answers what patched charts ask of the cluster; nil if there is none
	Log     *slog.Logger
}

// Set is every release that the helmfile declares.
type Set struct {
	Releases []release.Desired
	// SkippedFiles are state files that helmfile ignored, each with the reason.
	SkippedFiles []string
	// Confined says what the kernel kept the loader from.
	Confined string
}

// Load has the loader read the helmfile, and ends it. Errors carry exit.DesiredInvalid or exit.SecretsUnreadable, or the cause of the
// context's end. What the loader says is not trusted: a chart's path counts only where the store allows it.
func (l *Loader) Load(ctx context.Context, req Request) (Set, error) {
	defer l.Close()
	dir, err := filepath.EvalSymlinks(req.Dir)
	if err != nil {
		return Set{}, fmt.Errorf("open checkout: %w", err)
	}
	req.Dir = dir
	copies := newCopies(filepath.Join(req.Charts.Dir(), "copies"))
	defer func() { _ = copies.remove() }() // the run's directory is removed too
	service := &service{req: req, copies: copies}
	served, err := broker.Serve(ctx, l.workspace, service, req.Cluster)
	if err != nil {
		return Set{}, fmt.Errorf("serve the loader: %w", err)
	}
	defer served.Close()
	proxy, err := req.Remote.NewProxy(func(host string) { req.Log.Warn(egress.Refusal(host)) })
	if err != nil {
		return Set{}, err
	}
	defer proxy.Close()
	set, err := l.converse(ctx, req, proxy.Port())
	if err != nil && ended(ctx) {
		return Set{}, fmt.Errorf("load helmfile: %w", context.Cause(ctx))
	}
	return set, err
}

// ended tells whether the run is over. The loader has the same deadline and may notice it a moment earlier.
func ended(ctx context.Context) bool {
	if deadline, bounded := ctx.Deadline(); bounded && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

// converse sends the input and reads until the answer.
func (l *Loader) converse(ctx context.Context, req Request, proxy int) (Set, error) {
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return Set{}, errors.New("a load needs a deadline")
	}
	stop := context.AfterFunc(ctx, l.Kill)
	defer stop()
	input := protocol.Input{
		Version: protocol.Version, Dir: req.Dir, Path: req.Path, Environment: req.Environment, Selectors: req.Selectors,
		StateValuesSet: req.StateValuesSet, StateValuesFile: req.StateValuesFile, Namespace: req.Namespace,
		KubeContext: req.KubeContext, Concurrency: req.Concurrency, Workspace: l.workspace, Charts: req.Charts.Dir(),
		Sandbox: req.Sandbox, Proxy: proxy, Ports: req.Remote.LoopbackPorts(), Deadline: deadline, Memory: req.Memory, CPU: req.CPU,
		Readable: child.Certificates(),
	}
	l.LimitMemory(req.Memory)
	if err := child.NewWriter(l.In, child.Trusted).Send(input); err != nil {
		return Set{}, l.died(req, "", err)
	}
	h := hearing{req: req}
	answer, err := h.until(child.NewReader(l.Out, protocol.Bounds))
	if err != nil {
		return Set{}, l.died(req, h.file, err)
	}
	l.Close()
	l.show(req)
	if err := child.KillOrphans(); err != nil {
		return Set{}, exit.With(exit.DesiredInvalid, fmt.Errorf("load helmfile: %w", err))
	}
	if err := answer.Err(); err != nil {
		return Set{Confined: h.confined}, err
	}
	return Set{Releases: h.releases, SkippedFiles: answer.SkippedFiles, Confined: h.confined}, nil
}

// What the agent keeps of all that the loader says.
const (
	maxReleases     = 10_000
	maxReleaseBytes = 64 << 20
	maxSecretBytes  = 32 << 20 // the mask needs several times as much
)

// hearing is what the loader has said so far.
type hearing struct {
	req            Request
	file, confined string
	releases       []release.Desired

	releaseBytes, secretBytes int
}

// until handles messages until the answer comes.
func (h *hearing) until(in *child.Reader) (*protocol.Answer, error) {
	for {
		var said protocol.Message
		if err := in.Next(&said); err != nil {
			return nil, err
		}
		if err := h.bound(&said, in.Size()); err != nil {
			return nil, err
		}
		if err := h.req.Mask.Err(); err != nil {
			return nil, err
		}
		switch {
		case said.Answer != nil:
			return said.Answer, nil
		case said.Release != nil:
			h.releases = append(h.releases, said.Release.Unpack())
		case said.SecretFile != nil:
			h.req.Mask.AddDocument(said.SecretFile)
		case said.Log != nil:
			h.log(said.Log)
		case said.File != "":
			h.file = said.File
		case said.Confined != "":
			h.confined = said.Confined
		default:
			h.req.Mask.AddLeaves(said.Secret)
		}
	}
}

// bound limits what stays in memory.
func (h *hearing) bound(said *protocol.Message, size int) error {
	switch {
	case said.Release != nil:
		h.releaseBytes += size
	case said.SecretFile != nil, said.Secret != nil:
		h.secretBytes += size
	}
	switch {
	case h.releaseBytes > maxReleaseBytes:
		return fmt.Errorf("%w: releases of more than %d MiB", child.ErrTooMuch, maxReleaseBytes>>20)
	case len(h.releases) > maxReleases:
		return fmt.Errorf("%w: more than %d releases", child.ErrTooMuch, maxReleases)
	case h.secretBytes > maxSecretBytes:
		return fmt.Errorf("%w: secrets of more than %d MiB", child.ErrTooMuch, maxSecretBytes>>20)
	}
	return nil
}

func (h *hearing) log(line *protocol.LogLine) {
	attrs := make([]any, len(line.Pairs))
	for i, text := range line.Pairs {
		attrs[i] = text
	}
	h.req.Log.Log(context.Background(), slog.Level(line.Level), line.Message, attrs...)
}

// died explains why there is no answer: the loader was ended by a limit, or by what it was given to read.
func (l *Loader) died(req Request, file string, err error) error {
	l.Close()
	err = errors.Join(err, child.KillOrphans())
	if file == "" {
		file = "the helmfile"
	}
	l.show(req)
	return exit.With(exit.DesiredInvalid, fmt.Errorf("load helmfile: while reading %s the loader %w", file, l.Reason(child.Limits{Memory: req.Memory, CPU: req.CPU}, err)))
}
