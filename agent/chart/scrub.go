package chart

import (
	"regexp"
	"strings"
)

// urlPattern finds the URLs in Helm's errors, which quote them as they were given, credentials included.
var urlPattern = regexp.MustCompile(`[a-z]+://[^\s"'<>]+`)

type scrubbed struct {
	text string
	err  error
}

func (s scrubbed) Error() string { return s.text }
func (s scrubbed) Unwrap() error { return s.err }

// scrub takes user, password and query out of every URL in the error's text.
func scrub(err error) error {
	if err == nil {
		return nil
	}
	text := urlPattern.ReplaceAllStringFunc(err.Error(), func(found string) string {
		trimmed := strings.TrimRight(found, ":,.;)")
		return publicURL(trimmed) + found[len(trimmed):]
	})
	return scrubbed{text: text, err: err}
}
