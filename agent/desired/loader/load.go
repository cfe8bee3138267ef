package loader

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/helmfile/helmfile/pkg/app"
	helmfile "github.com/helmfile/helmfile/pkg/config"
	"github.com/helmfile/helmfile/pkg/filesystem"

	"github.com/helmfile-agent/helmfile-agent/agent/chart"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/lookup"
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
	Kubeconfig  string // for chartify, which may ask the cluster; empty in a pod
	Concurrency int

	Hidden    lookup.Hidden // from templates, also those that child processes render
	Workspace string        // a private directory; it must outlive the charts in the result
	Charts    *chart.Store
	Keys      *secrets.Keys
	Mask      *secrets.Mask
	Log       *slog.Logger
}

// Set is every release that the helmfile declares.
type Set struct {
	Releases []release.Desired
	// PassedOver are state files that helmfile ignored, each with the reason.
	PassedOver []string
}

// Load reads the helmfile. It changes the process's working directory and environment, which helmfile looks at, so two
// loads must not run at the same time. Errors carry exit.DesiredInvalid or exit.SecretsUnreadable.
func Load(ctx context.Context, req Request) (Set, error) {
	dir, err := filepath.EvalSymlinks(req.Dir)
	if err != nil {
		return Set{}, fmt.Errorf("open checkout: %w", err)
	}
	req.Dir = dir
	l := &loader{req: req, engine: newEngine(ctx, req), visited: map[string]bool{}}
	decrypts, err := l.isolate(ctx)
	if err != nil {
		return Set{}, fmt.Errorf("prepare workspace: %w", err)
	}
	defer decrypts.Close()
	if err := os.Chdir(dir); err != nil {
		return Set{}, fmt.Errorf("enter checkout: %w", err)
	}
	err = l.bounded(ctx)
	l.learn()
	if err != nil {
		return Set{}, l.explain(err)
	}
	return l.result()
}

// isolate prepares what helmfile finds in this process, and what this process learns of what helmfile finds.
func (l *loader) isolate(ctx context.Context) (io.Closer, error) {
	if err := isolate(ctx, l.req); err != nil {
		return nil, err
	}
	known, err := resolvedReferences()
	if err != nil {
		return nil, err
	}
	l.resolved.known = known
	l.decryptReferences()
	return l.req.Keys.Serve(l.req.Workspace, func(_ string, plain []byte) { l.engine.learnPlain(plain) })
}

// bounded runs helmfile, which knows no deadlines, for as long as ctx lasts. Past that its goroutine is abandoned: the
// process is about to end, and what is printed to standard output until then still must not get there.
func (l *loader) bounded(ctx context.Context) error {
	// helmfile and chartify print here and there; standard output belongs to the report.
	stdout := os.Stdout
	os.Stdout = os.Stderr
	done := make(chan error, 1)
	go func() { done <- l.run() }()
	select {
	case err := <-done:
		os.Stdout = stdout
		return err
	case <-ctx.Done():
		app.Cancel()
		return fmt.Errorf("load helmfile: %w", context.Cause(ctx))
	}
}

func (l *loader) run() (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("helmfile panicked: %v", cause)
		}
	}()
	a, err := l.app()
	if err != nil {
		return err
	}
	return a.ForEachState(l.visit, false)
}

func (l *loader) app() (*app.App, error) {
	opts := &helmfile.GlobalOptions{
		File:                       l.req.Path,
		Environment:                l.req.Environment,
		Selector:                   l.req.Selectors,
		StateValuesSet:             l.req.StateValuesSet,
		StateValuesFile:            l.req.StateValuesFile,
		Kubeconfig:                 l.req.Kubeconfig,
		HelmBinary:                 "helm",
		KustomizeBinary:            "kustomize",
		SequentialHelmfiles:        true,
		StripArgsValuesOnExitError: true,
	}
	opts.SetLogger(newZap(l.req.Log, l.req.short, l.engine.unreadable, l.hear))
	conf := helmfile.NewGlobalImpl(opts)
	if err := helmfile.NewCLIConfigImpl(conf); err != nil {
		return nil, err
	}
	guarded := filesystem.FromFileSystem(filesystem.FileSystem{ReadFile: l.readFile})
	return app.New(conf).WithFileSystem(guarded), nil
}

func (l *loader) result() (Set, error) {
	if l.resolved.known.ranCommand() {
		l.refused = append(l.refused, "ref+exec:// is not supported: "+noCommands)
	}
	if l.resolved.known.readKeys(l.req.Keys.Holds) {
		l.refused = append(l.refused, "ref+file://: "+noKeys)
	}
	if len(l.refused) > 0 {
		return Set{}, exit.With(exit.DesiredInvalid,
			fmt.Errorf("the helmfile asks for what cannot be done here:\n  %s", strings.Join(l.refused, "\n  ")))
	}
	releases, err := unique(l.releases)
	if err != nil {
		return Set{}, exit.With(exit.DesiredInvalid, err)
	}
	return Set{Releases: releases, PassedOver: l.passedOver()}, nil
}
