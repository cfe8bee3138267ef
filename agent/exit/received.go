package exit

import (
	"errors"
	"slices"
)

// loaderCodes are the codes that loading the helmfile can end with.
var loaderCodes = []Code{Unexpected, ConfigInvalid, DesiredInvalid, SecretsUnreadable}

// Received is the error that the loader reports. The loader is not trusted, because the helmfile may control it. So it can only report
// the codes that loading can end with, and every other code becomes DesiredInvalid. For example, it cannot report success.
func Received(code int, reason string) error {
	if reason == "" {
		reason = "the process that reads the helmfile failed and gave no reason"
	}
	if !slices.Contains(loaderCodes, Code(code)) {
		code = int(DesiredInvalid)
	}
	return With(Code(code), errors.New(reason))
}
