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

// classify gives an error its exit code, which says whether another try may help. It also says in plain words what errors of go-git mean.
func classify(ctx context.Context, err error) error {
	var certificate *tls.CertificateVerificationError
	err = unwrapGoGit(err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return exit.With(exit.SourceUnreachable, fmt.Errorf("no answer in time: %w", context.DeadlineExceeded))
	case errors.As(err, new(diskError)):
		return err
	case exit.Of(err) != exit.Unexpected && exit.Of(err) != exit.Deadline:
		return err
	case errors.As(err, new(egress.RefusedError)):
		return exit.With(exit.SourceRefused, fmt.Errorf("the server redirects to another server: %w", err))
	case errors.As(err, &certificate):
		return exit.With(exit.SourceRefused, fmt.Errorf("the server's certificate is not trusted (gitCAFile adds authorities): %w", certificate.Err))
	case strings.Contains(err.Error(), "http redirect: changes scheme from"): // go-git has no error type for this
		return exit.With(exit.SourceRefused, errors.New("the server redirects from https to http, which is not encrypted: "+
			"correct the server, or set repo to another URL"))
	case strings.Contains(err.Error(), "ssh: unable to authenticate"): // x/crypto has no error type for this
		return exit.With(exit.SourceRefused, errors.New("the server refuses the SSH key or password: check that they may read the repository"))
	default:
		return classifyTransport(err)
	}
}

// diskError is an error of the local file system. It has no exit code, because it says nothing about the repository.
type diskError struct{ error }

func (e diskError) Unwrap() error { return e.error }

// classifyTransport handles the errors of go-git's transports. It leaves out the text of the server, which may be a whole web page.
func classifyTransport(err error) error {
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired):
		return exit.With(exit.SourceRefused, errors.New("authentication required: the credentials are missing or wrong "+
			"(some servers also answer this if the repository does not exist)"))
	case errors.Is(err, transport.ErrAuthorizationFailed):
		return exit.With(exit.SourceRefused, errors.New("authorization failed: the credentials have no right to read the repository"))
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return exit.With(exit.SourceUnreachable, errors.New("repository not found, or the credentials have no right to see it"))
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return exit.With(exit.SourceUnreachable, errors.New("the repository is empty: push a commit first"))
	default:
		return exit.With(exit.SourceUnreachable, err)
	}
}

// unwrapGoGit returns the error inside some errors of go-git, which have no method Unwrap.
func unwrapGoGit(err error) error {
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
