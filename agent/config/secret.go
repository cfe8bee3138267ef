package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that prints as stars, whatever prints it; convert it to string to use it. An empty one prints as
// nothing, so that logs still tell "not set" from "set".
type Secret string

const stars = "*****"

// String is the stars.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return stars
}

// GoString is the stars in quotes, for %#v.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// Format covers every verb: %x and %d would print the bytes of a string type otherwise.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		_, _ = io.WriteString(f, s.GoString()) // fmt.State keeps no error
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalText serves JSON, XML and whatever else asks for text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML is needed beside MarshalText for YAML libraries that do not ask for text.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue is what slog prints.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
