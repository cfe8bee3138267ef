package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Output is the format of the result, as far as a command line and an environment tell that cannot be read otherwise: a
// program that asked for JSON wants to hear of a mistake in JSON too. Mistakes are passed over.
func Output(command string, args, environ []string) string {
	fs := pflag.NewFlagSet(command, pflag.ContinueOnError)
	fs.ParseErrorsAllowlist.UnknownFlags = true
	fs.Usage = func() {}
	Flags(fs, command)
	_ = fs.Parse(args) // what is wrong with them is being reported already
	flags := fromFlags(fs)
	environment, _ := fromEnviron(environ)
	file, _ := fromFile(namedFile(slices.Concat(environment, flags)))
	var c Config
	for _, s := range slices.Concat(defaults(), file, environment, flags) {
		if s.name == "output" {
			_ = s.set(&c, s.values) // an unknown format is none
		}
	}
	return c.Output
}

// Credentials are whatever could be one in a command line and an environment that cannot be read: a message that quotes them
// must not show it.
func Credentials(args, environ []string) []Secret {
	var found []Secret
	for _, arg := range args {
		found = append(found, userinfo(arg)...)
	}
	environment, _ := fromEnviron(environ)
	for _, s := range environment {
		for _, value := range s.values {
			found = append(found, userinfo(value)...)
			if s.secret || s.name == "gitUsername" {
				found = append(found, Secret(value))
			}
		}
	}
	return found
}

// userinfo is what stands before the host of a URL within a text: all of it, the password, and that as it is without escapes.
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
