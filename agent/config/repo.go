package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	scheme  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
	scpLike = regexp.MustCompile(`^([A-Za-z0-9._-]+@)?([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):[^\\:]`)
)

// isRepository does not use the errors of net/url, because they quote the URL, which may contain a password.
func isRepository(repo string) error {
	switch {
	case repo == "": // an empty flag removes the value in the file
		return nil
	case scheme.MatchString(repo):
		return isRepositoryURL(repo)
	case filepath.IsAbs(repo), scpLike.MatchString(repo) && !strings.Contains(hostPart(repo), "/"):
		return nil
	default:
		return errors.New("is neither a URL nor an absolute path: write it like https://host/path, git@host:path or /path")
	}
}

// hostPart is the text before the first colon of git@host:path. If it contains a slash, it is not a host but a path.
func hostPart(repo string) string {
	host, _, _ := strings.Cut(repo, ":")
	return host
}

func isRepositoryURL(repo string) error {
	u, err := url.Parse(repo)
	if err != nil {
		return errors.New("is not a URL: percent-encode special characters, for example in the password")
	}
	remote := slices.Contains([]string{"https", "http", "ssh", "git"}, u.Scheme)
	switch {
	case !remote && u.Scheme != "file":
		return fmt.Errorf("has the unknown scheme %q: use https, http, ssh, git or file", u.Scheme)
	case remote && u.Hostname() == "":
		return errors.New("has no host: write it like https://host/path")
	case !remote && u.Host != "" && u.Host != "localhost":
		return errors.New("has a host, which file URLs must not have: write file:///path, with three slashes")
	case strings.Trim(u.Path, "/") == "":
		return errors.New("has no path: add the path of the repository")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("has a query or fragment: remove everything after ? or #, and use the setting ref for a branch or tag")
	}
	return nil
}

// SplitRepo separates the credentials from the URL of a repository, so that they are not printed. The user in an SSH URL is part of the
// address and stays. If the URL cannot be parsed, SplitRepo removes everything before the last @.
func SplitRepo(repo string) (clean string, username, password Secret) {
	if !scheme.MatchString(repo) {
		return repo, "", ""
	}
	u, err := url.Parse(repo)
	if err != nil {
		return redact(repo), "", ""
	}
	if u.User == nil {
		return repo, "", ""
	}
	pass, _ := u.User.Password()
	name := u.User.Username()
	u.User = nil
	if u.Scheme == "ssh" {
		u.User = url.User(name)
		name = ""
	}
	return u.String(), Secret(name), Secret(pass)
}

// redact hides every part of a repository that may be a credential, also if the repository is malformed.
func redact(repo string) string {
	prefix := scheme.FindString(repo)
	rest := repo[len(prefix):]
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		rest = stars + rest[at:]
	}
	if query := strings.IndexAny(rest, "?#"); query >= 0 {
		rest = rest[:query+1] + stars
	}
	return prefix + rest
}
