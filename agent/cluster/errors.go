package cluster

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/helmfile-agent/helmfile-agent/agent/exit"
)

// classify wraps an error of the API server with what was being done and the exit code it deserves. The server's own
// message of a refusal names the verb, the resource and the namespace.
func classify(doing string, err error) error {
	wrapped := fmt.Errorf("%s: %w", doing, err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return wrapped
	case apierrors.IsUnauthorized(err):
		return unreachable(fmt.Errorf("%w: the API server does not accept the token or certificate; renew it", wrapped))
	case apierrors.IsForbidden(err):
		return exit.With(exit.Forbidden, wrapped)
	default:
		return unreachable(wrapped)
	}
}

func unreachable(err error) error { return exit.With(exit.ClusterUnreached, err) }
