package kube

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// Classify wraps an error of the API server with what was being done and the exit code it deserves. The server's own
// message of a refusal names the verb, the resource and the namespace.
func Classify(doing string, err error) error {
	wrapped := fmt.Errorf("%s: %w", doing, err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return wrapped
	case apierrors.IsUnauthorized(err):
		return Unreachable(fmt.Errorf("%w: the API server does not accept the token or certificate; renew it", wrapped))
	case apierrors.IsForbidden(err):
		return exit.With(exit.Forbidden, wrapped)
	default:
		return Unreachable(wrapped)
	}
}

// echoed is an object that the API server repeats, whole, in its refusal: of a Secret with every value in it.
var echoed = regexp.MustCompile(`"\{(?:[^"\\]|\\.)*"`)

// Redact hides the objects that the API server repeats in an error.
func Redact(err error) error { return redactedError{err} }

type redactedError struct{ error }

func (b redactedError) Error() string {
	return echoed.ReplaceAllString(b.error.Error(), "(the object)")
}

func (b redactedError) Unwrap() error { return b.error }

// UserError is an error of a change for the user: without the objects that the API server repeats, and with the cause of an
// interruption.
func UserError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted, and tried again by the next run: %w", context.Cause(ctx))
	default:
		return redactedError{err}
	}
}

// Unreachable marks an error with exit.ClusterUnreached.
func Unreachable(err error) error { return exit.With(exit.ClusterUnreached, err) }
