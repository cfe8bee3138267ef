//go:build !linux

package sandbox

import "errors"

// Confine protects nothing, because only Linux has Landlock. It fails with mode Required.
func Confine(mode string, _ Rules) (string, error) {
	if mode == Required {
		return "", errors.New("sandbox is required, but only Linux has Landlock: set sandbox to auto")
	}
	return "nothing: only Linux has Landlock", nil
}
