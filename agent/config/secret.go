package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that every way of printing shows as stars. To use it, convert it to string. An empty Secret prints as an empty text,
// so that logs show whether it is set.
type Secret string

const stars = "*****"

// String implements fmt.Stringer with stars.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return stars
}

// GoString implements fmt.GoStringer, for %#v, with stars in quotes.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// Format implements fmt.Formatter for every verb. Without it, %x and %d would print the bytes.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		_, _ = io.WriteString(f, s.GoString()) // package fmt ignores the error
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalText implements encoding.TextMarshaler, for JSON and XML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML is for YAML libraries that do not use MarshalText.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
