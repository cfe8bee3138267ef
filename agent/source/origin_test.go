package source

import (
	"regexp"
	"strings"
	"testing"
)

func TestSpellingsOfOneOrigin(t *testing.T) {
	want := Origin("https://git.example/shop", "apps", "default")
	for _, repo := range []string{"https://git.example/shop/", "https://git.example/shop.git", "https://git.example/shop.git/", "https://git.example/shop//"} {
		if got := Origin(repo, "apps", "default"); got != want {
			t.Errorf("%s has another origin", repo)
		}
	}
}

func TestDifferentOrigins(t *testing.T) {
	seen := map[string]string{}
	for name, origin := range map[string]string{
		"the first":                             Origin("https://git.example/shop", "apps", "default"),
		"another repository":                    Origin("https://git.example/shop2", "apps", "default"),
		"another host":                          Origin("https://git.example.org/shop", "apps", "default"),
		"another case":                          Origin("https://git.example/Shop", "apps", "default"),
		"another path":                          Origin("https://git.example/shop", "apps2", "default"),
		"no path":                               Origin("https://git.example/shop", "", "default"),
		"another environment":                   Origin("https://git.example/shop", "apps", "production"),
		"parts that together are the same text": Origin("https://git.example/shop", "appsd", "efault"),
		"a path that is part of the repository": Origin("https://git.example/shop/apps", "", "default"),
		"nothing":                               Origin("", "", ""),
	} {
		if other, taken := seen[origin]; taken {
			t.Errorf("%s and %s have the same origin", name, other)
		}
		seen[origin] = name
	}
}

var labelValue = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)

func TestOriginIsLabelValue(t *testing.T) {
	for _, repo := range []string{"", "git@git.example:a/b", "https://git.example/ü?*", strings.Repeat("x", 10000)} {
		if got := Origin(repo, "a/b", "default"); !labelValue.MatchString(got) {
			t.Errorf("%q", got)
		}
	}
}
