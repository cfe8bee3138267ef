package charterrors

import (
	"fmt"
	"strings"
)

// WithHint adds to an error which setting of the helmfile can prevent it.
func WithHint(err error) error {
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "401 Unauthorized"), strings.Contains(err.Error(), "403 Forbidden"),
		strings.Contains(err.Error(), "credential not found"):
		return fmt.Errorf("%w (check the user name and password under `repositories:`)", err)
	case strings.Contains(err.Error(), "certificate signed by unknown authority"):
		return fmt.Errorf("%w (set caFile under `repositories:`)", err)
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("%w (if plain HTTP is intended, set plainHttp: true)", err)
	}
	return err
}
