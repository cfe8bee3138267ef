package loader

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/helmfile/helmfile/pkg/app"
	helmfile "github.com/helmfile/helmfile/pkg/config"

	"github.com/helmfile-agent/helmfile-agent/agent/broker"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// request is the input with what this process makes of it.
type request struct {
	protocol.Input
	roots  sandbox.Roots
	agent  *broker.Client
	report reporter
	log    *slog.Logger
}

// loaded is every release that the helmfile declares.
type loaded struct {
	releases []release.Desired
	// passedOver are state files that helmfile ignored, each with the reason.
	passedOver []string
}

// load reads the helmfile. helmfile looks at the working directory and the environment of the process. Errors carry
// exit.DesiredInvalid or exit.SecretsUnreadable.
func load(ctx context.Context, req request) (loaded, error) {
	l := &loader{req: req, engine: newEngine(ctx, req), visited: map[string]bool{}}
	known, err := resolvedReferences()
	if err != nil {
		return loaded{}, err
	}
	l.resolved.known = known
	l.replaceStores()
	if err := known.guardFiles(req.checkFile); err != nil {
		return loaded{}, err
	}
	if err := os.Chdir(req.Dir); err != nil {
		return loaded{}, fmt.Errorf("enter checkout: %w", err)
	}
	err = l.run()
	l.learn()
	if err != nil {
		return loaded{}, l.explain(err)
	}
	return l.result()
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
		HelmBinary:                 "helm",
		KustomizeBinary:            "kustomize",
		SequentialHelmfiles:        true,
		StripArgsValuesOnExitError: true,
	}
	opts.SetLogger(newZap(l.req.log, l.req.short, l.engine.unreadable, l.hear))
	conf := helmfile.NewGlobalImpl(opts)
	if err := helmfile.NewCLIConfigImpl(conf); err != nil {
		return nil, err
	}
	return app.New(conf).WithFileSystem(l.fileSystem()), nil
}

func (l *loader) result() (loaded, error) {
	if l.resolved.known.ranCommand() {
		l.refused = append(l.refused, "ref+exec:// is not supported: "+noCommands)
	}
	if err := l.resolved.known.unguardedFile(); err != nil {
		l.refused = append(l.refused, err.Error())
	}
	if len(l.refused) > 0 {
		return loaded{}, exit.With(exit.DesiredInvalid,
			fmt.Errorf("the helmfile asks for what cannot be done here:\n  %s", strings.Join(l.refused, "\n  ")))
	}
	releases, err := unique(l.releases)
	if err != nil {
		return loaded{}, exit.With(exit.DesiredInvalid, err)
	}
	return loaded{releases: releases, passedOver: l.passedOver()}, nil
}
