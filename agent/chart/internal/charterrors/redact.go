package charterrors

import (
	"net/url"
	"regexp"
	"strings"
)

// urlPattern finds the URLs in the errors of Helm. Helm prints a URL with its user name and password.
var urlPattern = regexp.MustCompile(`[a-z]+://[^\s"'<>]+`)

// rewritten is an error with another text.
type rewritten struct {
	text string
	err  error
}

func (r rewritten) Error() string { return r.text }
func (r rewritten) Unwrap() error { return r.err }

// Redact removes the user, the password and the query from every URL in the text of the error.
func Redact(err error) error {
	if err == nil {
		return nil
	}
	text := urlPattern.ReplaceAllStringFunc(err.Error(), func(found string) string {
		trimmed := strings.TrimRight(found, ":,.;)")
		return PublicURL(trimmed) + found[len(trimmed):]
	})
	return rewritten{text: text, err: err}
}

// PublicURL is the URL without user, password and query, which may be credentials.
func PublicURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(an invalid URL)"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// ReplacePath replaces a path in the text of the error. Users do not know the temporary paths of a run.
func ReplacePath(err error, path, replacement string) error {
	if err == nil {
		return nil
	}
	return rewritten{text: strings.ReplaceAll(err.Error(), path, replacement), err: err}
}
