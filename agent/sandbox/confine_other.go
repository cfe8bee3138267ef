//go:build !linux

package sandbox

import "errors"

// Confine can protect nothing here: Landlock is Linux's. It fails with mode Required.
func Confine(mode string, _ Rules) (string, error) {
	if mode == Required {
		return "", errors.New("sandbox is required, but only Linux has one: set sandbox to auto")
	}
	return "nothing: only Linux has Landlock", nil
}
