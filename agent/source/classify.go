package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/helmfile-agent/helmfile-agent/agent/egress"
	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// classify says whether another try may help, and says in plain words what go-git's errors mean.
func classify(ctx context.Context, err error) error {
	var certificate *tls.CertificateVerificationError
	err = open(err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return exit.With(exit.SourceUnreachable, fmt.Errorf("no answer in time: %w", context.DeadlineExceeded))
	case errors.As(err, new(onDisk)):
		return err
	case exit.Of(err) != exit.Unexpected && exit.Of(err) != exit.Deadline:
		return err
	case errors.As(err, new(egress.RefusedError)):
		return exit.With(exit.SourceRefused, fmt.Errorf("the server redirects to another one: %w", err))
	case errors.As(err, &certificate):
		return exit.With(exit.SourceRefused, fmt.Errorf("the server's certificate is not trusted (gitCAFile adds authorities): %w", certificate.Err))
	case strings.Contains(err.Error(), "http redirect: changes scheme from"): // go-git has no type for it
		return exit.With(exit.SourceRefused, errors.New("the server redirects from https to http, where the network can read "+
			"and change everything: correct the server, or set repo to another URL"))
	case strings.Contains(err.Error(), "ssh: unable to authenticate"): // x/crypto has no type for it
		return exit.With(exit.SourceRefused, errors.New("the server refuses the SSH key or password: check that it may read the repository"))
	default:
		return byMeaning(err)
	}
}

// onDisk is an error of our own file system. It says nothing about the repository, so it gets no code.
type onDisk struct{ error }

func (e onDisk) Unwrap() error { return e.error }

// byMeaning leaves out what the server wrote beside its status: it may be a whole web page.
func byMeaning(err error) error {
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return exit.With(exit.SourceRefused, errors.New("authentication required: the credentials are missing or wrong "+
			"(some servers also answer so where there is no such repository)"))
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return exit.With(exit.SourceRefused, errors.New("authorization failed: these credentials may not read the repository"))
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return exit.With(exit.SourceUnreachable, errors.New("repository not found, or these credentials may not see it"))
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return exit.With(exit.SourceUnreachable, errors.New("the repository is empty: push a commit first"))
	default:
		return exit.With(exit.SourceUnreachable, err)
	}
}

// open makes errors.As see through go-git's errors, which wrap others without saying so.
func open(err error) error {
	var unexpected *plumbing.UnexpectedError
	var permanent *plumbing.PermanentError
	switch {
	case errors.As(err, &unexpected):
		return unexpected.Err
	case errors.As(err, &permanent):
		return permanent.Err
	default:
		return err
	}
}
