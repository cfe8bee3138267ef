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

// isRepository never repeats what net/url says: its errors quote the URL, and so perhaps a password.
func isRepository(repo string) error {
	switch {
	case repo == "": // as a flag, it unsets what the file says
		return nil
	case scheme.MatchString(repo):
		return isRepositoryURL(repo)
	case filepath.IsAbs(repo), scpLike.MatchString(repo) && !strings.Contains(hostPart(repo), "/"):
		return nil
	default:
		return errors.New("is neither a URL nor an absolute path: write it like https://host/path, git@host:path or /path")
	}
}

// hostPart is what stands before the first colon of git@host:path. With a slash in it, it is a path and no host.
func hostPart(repo string) string {
	host, _, _ := strings.Cut(repo, ":")
	return host
}

func isRepositoryURL(repo string) error {
	u, err := url.Parse(repo)
	if err != nil {
		return errors.New("is not a URL: percent-encode special characters, above all those of a password")
	}
	remote := slices.Contains([]string{"https", "http", "ssh", "git"}, u.Scheme)
	switch {
	case !remote && u.Scheme != "file":
		return fmt.Errorf("has the unknown scheme %q: use https, http, ssh, git or file", u.Scheme)
	case remote && u.Hostname() == "":
		return errors.New("names no host: write it like https://host/path")
	case !remote && u.Host != "" && u.Host != "localhost":
		return errors.New("names a host: write file:///path, with three slashes")
	case strings.Trim(u.Path, "/") == "":
		return errors.New("names no repository on the host: add its path")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("has a query or fragment: remove what follows ? or #, and give the branch or tag as ref")
	}
	return nil
}

// SplitRepo parts a repository's URL from the credentials in it, so that nothing prints them. The user of an SSH URL is
// part of the address and stays. What cannot be parsed loses everything before its last @.
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
	word, _ := u.User.Password()
	name := u.User.Username()
	u.User = nil
	if u.Scheme == "ssh" {
		u.User = url.User(name)
		name = ""
	}
	return u.String(), Secret(name), Secret(word)
}

// redact hides whatever could be a credential in a repository that may be malformed.
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
