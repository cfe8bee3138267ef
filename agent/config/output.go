package config

import (
	"net/url"
	"strings"

	"github.com/spf13/pflag"
)

// Output is the format of the result, as far as it can be read from a command line or an environment with mistakes: a program that
// wants JSON should get the error as JSON too. It ignores the mistakes.
func Output(command string, args, environ []string) string {
	fs := pflag.NewFlagSet(command, pflag.ContinueOnError)
	fs.ParseErrorsAllowlist.UnknownFlags = true
	fs.Usage = func() {}
	Flags(fs, command)
	_ = fs.Parse(args) // the caller already reports these mistakes
	entries, _ := readSources(fs, environ)
	var c Config
	for _, e := range entries {
		if e.Name == "output" {
			_ = store(&c, e) // an unknown format is ignored
		}
	}
	return c.Output
}

// Credentials lists every text in a command line and an environment that may be a credential. If they have mistakes, the message may
// quote them, and must not show credentials.
func Credentials(args, environ []string) []Secret {
	var found []Secret
	for _, arg := range args {
		found = append(found, userinfo(arg)...)
	}
	environment, _ := described.FromEnviron(environ)
	for _, e := range environment {
		for _, value := range e.Values {
			found = append(found, userinfo(value)...)
			if e.Secret || e.Name == "gitUsername" {
				found = append(found, Secret(value))
			}
		}
	}
	return found
}

// userinfo returns the credentials of a URL in the text: the part before the host, the password, and the password without percent
// encoding.
func userinfo(text string) []Secret {
	_, rest, isURL := strings.Cut(text, "://")
	at := strings.LastIndex(rest, "@")
	if !isURL || at < 0 {
		return nil
	}
	whole := rest[:at]
	found := []Secret{Secret(whole)}
	if _, password, both := strings.Cut(whole, ":"); both {
		found = append(found, Secret(password))
		if plain, err := url.PathUnescape(password); err == nil {
			found = append(found, Secret(plain))
		}
	}
	return found
}
