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

// Request says what to load.
type Request struct {
	Dir         string // the checkout
	Path        string // the state file or directory in the checkout; empty for helmfile's own search
	Environment string
	Selectors   []string
	// StateValuesSet and StateValuesFile are helmfile's options of the same names.
	StateValuesSet, StateValuesFile []string

	Namespace   string // of releases that name none
	KubeContext string // the only context that a helmfile may name; empty allows none
	Concurrency int

	Sandbox string // auto, required or off
	Memory  int64  // bytes that the loader may use
	CPU     time.Duration

	Remote  egress.Policy // the hosts that the loader may connect to
	Charts  *chart.Store  // only local charts in the checkout and the workspace
	Keys    *secrets.Keys
	Mask    *mask.Mask
	Cluster http.Handler // answers requests of patched charts to the cluster; nil if there is no cluster
	Log     *slog.Logger
}

// Set has all releases that the helmfile declares.
type Set struct {
	Releases []release.Desired
	// SkippedFiles are state files that helmfile skipped, each with the reason.
	SkippedFiles []string
	// Confined says how the kernel confined the loader.
	Confined string
}

// Load makes the loader load the helmfile, and ends the loader. Errors carry exit.DesiredInvalid or exit.SecretsUnreadable, or the cause of
// the context's end. The agent does not trust the loader: req.Charts checks the paths of charts when it opens them.
func (l *Loader) Load(ctx context.Context, req Request) (Set, error) {
	defer l.Close()
	dir, err := filepath.EvalSymlinks(req.Dir)
	if err != nil {
		return Set{}, fmt.Errorf("open checkout: %w", err)
	}
	req.Dir = dir
	copies := newChartCopies(filepath.Join(req.Charts.Dir(), "copies"))
	defer func() { _ = copies.remove() }() // the directory of the run is removed later
	server, err := broker.Serve(ctx, l.workspace, &service{req: req, copies: copies}, req.Cluster)
	if err != nil {
		return Set{}, fmt.Errorf("serve the loader: %w", err)
	}
	defer func() { _ = server.Close() }() // the loader has ended
	proxy, err := req.Remote.NewProxy(func(host string) { req.Log.Warn(egress.Refusal(host)) })
	if err != nil {
		return Set{}, err
	}
	defer func() { _ = proxy.Close() }() // the loader has ended
	set, err := l.exchange(ctx, req, proxy.Port())
	if err != nil && hasEnded(ctx) {
		return Set{}, fmt.Errorf("load helmfile: %w", context.Cause(ctx))
	}
	return set, err
}

// hasEnded says whether the run has ended. The loader has the same deadline, and may end a moment earlier.
func hasEnded(ctx context.Context) bool {
	if deadline, bounded := ctx.Deadline(); bounded && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

// exchange sends the input and reads messages until the answer.
func (l *Loader) exchange(ctx context.Context, req Request, proxy int) (Set, error) {
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
		return Set{}, l.failure(req, "", err)
	}
	received := receiver{req: req}
	answer, err := received.readUntilAnswer(ctx, child.NewReader(l.Out, protocol.Bounds))
	if err != nil {
		return Set{}, l.failure(req, received.file, err)
	}
	l.Close()
	l.logStderr(req)
	if err := child.KillOrphans(); err != nil {
		return Set{}, exit.With(exit.DesiredInvalid, fmt.Errorf("load helmfile: %w", err))
	}
	if err := answer.Err(); err != nil {
		return Set{Confined: received.confined}, err
	}
	return Set{Releases: received.releases, SkippedFiles: answer.SkippedFiles, Confined: received.confined}, nil
}

// Limits of what the agent keeps in memory.
const (
	maxReleases     = 10_000
	maxReleaseBytes = 64 << 20
	maxSecretBytes  = 32 << 20 // the mask needs several times this memory
)

// receiver handles the messages of the loader, and keeps what they contain.
type receiver struct {
	req            Request
	file, confined string
	releases       []release.Desired

	releaseBytes, secretBytes int
}

// readUntilAnswer handles messages until the answer, and returns the answer.
func (r *receiver) readUntilAnswer(ctx context.Context, in *child.Reader) (*protocol.Answer, error) {
	for {
		var message protocol.Message
		if err := in.Next(&message); err != nil {
			return nil, err
		}
		if err := r.checkLimits(&message, in.Size()); err != nil {
			return nil, err
		}
		if err := r.req.Mask.Err(); err != nil {
			return nil, err
		}
		switch {
		case message.Answer != nil:
			return message.Answer, nil
		case message.Release != nil:
			r.releases = append(r.releases, message.Release.Unpack())
		case message.SecretFile != nil:
			r.req.Mask.AddDocument(message.SecretFile)
		case message.Log != nil:
			r.log(ctx, message.Log)
		case message.File != "":
			r.file = message.File
		case message.Confined != "":
			r.confined = message.Confined
		default:
			r.req.Mask.AddLeaves(message.Secret)
		}
	}
}

// checkLimits counts a message, and returns an error if all messages together exceed a limit.
func (r *receiver) checkLimits(message *protocol.Message, size int) error {
	switch {
	case message.Release != nil:
		r.releaseBytes += size
	case message.SecretFile != nil, message.Secret != nil:
		r.secretBytes += size
	}
	switch {
	case r.releaseBytes > maxReleaseBytes:
		return fmt.Errorf("%w: releases of more than %d MiB", child.ErrTooMuch, maxReleaseBytes>>20)
	case len(r.releases) > maxReleases:
		return fmt.Errorf("%w: more than %d releases", child.ErrTooMuch, maxReleases)
	case r.secretBytes > maxSecretBytes:
		return fmt.Errorf("%w: secrets of more than %d MiB", child.ErrTooMuch, maxSecretBytes>>20)
	}
	return nil
}

func (r *receiver) log(ctx context.Context, line *protocol.LogLine) {
	attrs := make([]any, len(line.Pairs))
	for i, text := range line.Pairs {
		attrs[i] = text
	}
	r.req.Log.Log(ctx, slog.Level(line.Level), line.Message, attrs...)
}

// failure ends the loader, and returns why there is no answer: the loader exceeded a limit, or the repository made it fail.
func (l *Loader) failure(req Request, file string, err error) error {
	l.Close()
	err = errors.Join(err, child.KillOrphans())
	if file == "" {
		file = "the helmfile"
	}
	l.logStderr(req)
	return exit.With(exit.DesiredInvalid, fmt.Errorf("load helmfile: while reading %s the loader %w", file, l.Reason(child.Limits{Memory: req.Memory, CPU: req.CPU}, err)))
}
