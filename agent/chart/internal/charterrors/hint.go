package charterrors

import (
	"fmt"
	"slices"
	"strings"
)

// refusals are the messages of a chart repository, of an OCI registry, and of a registry without credentials. Helm passes on only the text.
var refusals = []string{"401 Unauthorized", "403 Forbidden", "401: Unauthorized", "403: Forbidden", "credential not found"}

// WithHint adds to an error which setting of the helmfile can prevent it.
func WithHint(err error) error {
	switch {
	case err == nil:
		return nil
	case slices.ContainsFunc(refusals, func(words string) bool { return strings.Contains(err.Error(), words) }):
		return fmt.Errorf("%w (check the user name and password under `repositories:`)", err)
	case strings.Contains(err.Error(), "certificate signed by unknown authority"):
		return fmt.Errorf("%w (set caFile under `repositories:`)", err)
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("%w (if plain HTTP is intended, set plainHttp: true)", err)
	}
	return err
}
