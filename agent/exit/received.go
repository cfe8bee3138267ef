package exit

import (
	"errors"
	"slices"
)

// ofLoading are the codes that loading the helmfile can end with.
var ofLoading = []Code{Unexpected, ConfigInvalid, DesiredInvalid, SecretsUnreadable}

// Received is the error that another process of a load reports. What that process read may have taken it over: it chooses among the codes
// that loading can have, and any other code becomes DesiredInvalid. So it cannot report success or, for example, a held lock.
func Received(code int, reason string) error {
	if reason == "" {
		reason = "the process that reads the helmfile failed and gave no reason"
	}
	if !slices.Contains(ofLoading, Code(code)) {
		code = int(DesiredInvalid)
	}
	return With(Code(code), errors.New(reason))
}
