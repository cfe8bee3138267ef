package chart

import (
	"regexp"
	"strings"

	"github.com/helmfile-agent/helmfile-agent/agent/release"
)

// urlPattern finds the URLs in Helm's errors, which quote them as they were given, credentials included.
var urlPattern = regexp.MustCompile(`[a-z]+://[^\s"'<>]+`)

type scrubbed struct {
	text string
	err  error
}

func (s scrubbed) Error() string { return s.text }
func (s scrubbed) Unwrap() error { return s.err }

// of makes the error one about the chart as the helmfile names it: where the chart lies during a run helps nobody.
func of(c release.Chart, err error) error {
	if err == nil || c.Path == "" || c.Name == "" {
		return err
	}
	return scrubbed{text: strings.ReplaceAll(err.Error(), c.Path, c.Name), err: err}
}

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
