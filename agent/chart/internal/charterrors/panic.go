package charterrors

import "fmt"

// RecoverPanic turns a panic of Helm's loader into an error, so that a malformed chart fails only its own releases. Call it with defer.
func RecoverPanic(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("the chart is malformed: %v", cause)
	}
}
