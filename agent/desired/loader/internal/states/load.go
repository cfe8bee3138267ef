package states

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/helmfile/helmfile/pkg/app"
	helmfile "github.com/helmfile/helmfile/pkg/config"

	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/decryption"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/files"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/messages"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/recorder"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/references"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/loader/internal/unsupported"
	"github.com/helmfile-agent/helmfile-agent/agent/desired/protocol"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
	"github.com/helmfile-agent/helmfile-agent/agent/release"
	"github.com/helmfile-agent/helmfile-agent/agent/sandbox"
)

// Request says what to load.
type Request struct {
	protocol.Input
	Roots  sandbox.Roots // the only directories and files that the helmfile may name
	Agent  Agent
	Output Output
	Log    *slog.Logger
}

// Agent does what this process may not do itself.
type Agent interface {
	decryption.Agent
	recorder.Agent
}

// Output sends secrets and progress to the agent. A secret is sent before any text that may contain it.
type Output interface {
	Add(values ...string)
	AddLeaves(document any)
	AddDocument(plain []byte)
	File(name string)
}

// Result has all releases that the helmfile declares.
type Result struct {
	Releases []release.Desired
	// SkippedFiles are state files that helmfile skipped, each with the reason.
	SkippedFiles []string
}

// Load loads the helmfile. It changes the working directory, because helmfile looks for files there. Errors carry exit.DesiredInvalid or
// exit.SecretsUnreadable.
func Load(ctx context.Context, req Request) (Result, error) {
	v, err := newVisitor(ctx, req)
	if err != nil {
		return Result{}, err
	}
	if err := os.Chdir(req.Dir); err != nil {
		return Result{}, fmt.Errorf("enter checkout: %w", err)
	}
	err = v.run()
	v.vals.SendSecrets()
	if err != nil {
		return Result{}, v.explain(err)
	}
	return v.result()
}

func newVisitor(ctx context.Context, req Request) (*visitor, error) {
	v := &visitor{req: req, visited: map[string]bool{}}
	v.files = files.NewRepository(req.Roots, func(path string) { req.Output.File(v.relative(path)) })
	v.translator = messages.Translator{Dirs: []string{req.Dir, req.Workspace}, CheckPath: v.files.Check, LastRead: v.files.LastRead}
	v.decrypter = decryption.NewDecrypter(ctx, req.Agent, v.files.CheckFile, req.Log)
	v.recorder = recorder.New(ctx, recorder.Options{
		Agent: req.Agent, Decrypter: v.decrypter, Mask: req.Output, Namespace: req.Namespace, CheckPath: v.files.Check,
	})
	vals, err := references.OpenValsCache(req.Output)
	if err != nil {
		return nil, err
	}
	v.vals = vals
	references.ReplaceProviders(v.decrypter, v.files.CheckFile)
	return v, vals.GuardFiles(v.files.CheckFile)
}

func (v *visitor) run() (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("helmfile panicked: %v", cause)
		}
	}()
	application, err := v.app()
	if err != nil {
		return err
	}
	return application.ForEachState(v.visit, false)
}

func (v *visitor) app() (*app.App, error) {
	opts := &helmfile.GlobalOptions{
		File:                       v.req.Path,
		Environment:                v.req.Environment,
		Selector:                   v.req.Selectors,
		StateValuesSet:             v.req.StateValuesSet,
		StateValuesFile:            v.req.StateValuesFile,
		HelmBinary:                 "helm",
		KustomizeBinary:            "kustomize",
		SequentialHelmfiles:        true,
		StripArgsValuesOnExitError: true,
	}
	opts.SetLogger(messages.LogBridge{
		Log: v.req.Log, ShortenPaths: v.translator.ShortenPaths, OnUnreadable: v.decrypter.AddFailure, OnLog: v.onLog,
	}.Logger())
	conf := helmfile.NewGlobalImpl(opts)
	if err := helmfile.NewCLIConfigImpl(conf); err != nil {
		return nil, err
	}
	return app.New(conf).WithFileSystem(v.files.FileSystem()), nil
}

// explain returns the error of a load that failed.
func (v *visitor) explain(err error) error {
	var none *app.NoMatchingHelmfileError
	if errors.As(err, &none) {
		err = v.nothingVisited()
	}
	return v.translator.Explain(err, v.decrypter.Failures())
}

// result returns the releases, or an error if helmfile did something that the agent does not support.
func (v *visitor) result() (Result, error) {
	if v.vals.RanCommand() {
		v.unsupported = append(v.unsupported, unsupported.ExecReference)
	}
	if err := v.vals.CheckFileParameters(); err != nil {
		v.unsupported = append(v.unsupported, err.Error())
	}
	if len(v.unsupported) > 0 {
		return Result{}, exit.With(exit.DesiredInvalid,
			fmt.Errorf("the agent does not support all of the helmfile:\n  %s", strings.Join(v.unsupported, "\n  ")))
	}
	releases, err := unique(v.releases)
	if err != nil {
		return Result{}, exit.With(exit.DesiredInvalid, err)
	}
	return Result{Releases: releases, SkippedFiles: v.skippedFiles()}, nil
}
