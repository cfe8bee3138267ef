package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/helmfile-agent/helmfile-agent/e2e/leaks"
)

// shapes makes secrets that are difficult to mask. Each contains a random word, so that the search finds none by accident.
var shapes = []func(word string) string{
	func(w string) string { return w },
	func(w string) string { return w[:6] }, // the shortest secret that is masked everywhere
	func(w string) string { return w[:20] },
	func(w string) string { return w[:20] + "-and-more" }, // begins with the secret before it
	digits,
	func(w string) string {
		return fmt.Sprintf("-----BEGIN PRIVATE KEY-----\n%s\n%s\nab\n-----END PRIVATE KEY-----\n", base64.StdEncoding.EncodeToString([]byte(w+w)), w)
	},
	func(w string) string { return `say "` + w + `" and '` + w[:9] + `'` },
	func(w string) string { return `C:\new\` + w + `\` },
	func(w string) string { return "100%s%d$HOME${" + w + "}$$" },
	func(w string) string { return "pässwörd 日本 😀 " + w + " é" },
	func(w string) string { return "  " + w + "  \n\n" },
	func(w string) string { return "a&b=c?d/e#f+g " + w + "@:~" },
	func(w string) string { return "yes: no # " + w },
	func(w string) string { return "{{ " + w + " }}" },
	func(w string) string { return "*" + w + " & !!str @ |" },
	func(w string) string { return base64.StdEncoding.EncodeToString([]byte("hidden " + w)) },
	func(w string) string { return `{"user": "u-` + w + `", "deep": {"pass\"word": "p<` + w[:12] + `>"}}` },
	func(w string) string { return "--" + w + " -x" },
	func(w string) string { return "***" + w + "***" },
	func(w string) string { return "first " + w + "\n\n\tx\nsecond \"" + w + "\"\n" },
	func(w string) string { return "<b>" + w + "</b> & more" },
	func(w string) string { return "a\tb\r\n" + w + "\u00a0\u2028z" },
	func(w string) string { return strings.TrimSpace(strings.Repeat(w[:15]+" ", 12)) }, // YAML folds this
	func(w string) string {
		return strings.Join([]string{"[db]", "host = " + w, "password=\"" + w[:13] + "\""}, "\n")
	},
	func(w string) string {
		return "postgres://shop:" + url.QueryEscape(w+"&é") + "@db.example.com/shop?x=" + w[:8]
	},
}

func digits(word string) string {
	var text strings.Builder
	for _, c := range word[:14] {
		text.WriteByte('1' + byte(c)%9)
	}
	return text.String()
}

// newCanaries returns random secrets of every shape, and a few that are very long.
func newCanaries(n int) []string {
	var all []string
	var word string
	for i := range n {
		if i%len(shapes) != 3 { // the shape that begins with another secret
			word = rand.Text()
		}
		all = append(all, shapes[i%len(shapes)](word))
	}
	for i := 0; i < n; i += n/2 + 1 {
		all[i-i%len(shapes)] = strings.Repeat(rand.Text(), 400)
	}
	return all
}

// TestCanariesAreSeen checks that the search finds every canary in each encoding.
func TestCanariesAreSeen(t *testing.T) {
	t.Parallel()
	canaries := newCanaries(200)
	for name, show := range map[string]func(string) string{
		"plain":        func(s string) string { return "a " + s + " b" },
		"base64":       func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"inner base64": func(s string) string { return base64.StdEncoding.EncodeToString([]byte("user:" + s + "!")) },
		"URL":          func(s string) string { return "?" + url.QueryEscape(s) },
		"JSON":         func(s string) string { return string(must(json.Marshal(s))(t)) },
		"Go":           strconv.Quote,
		"lines":        func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\n", "\n+    "), "\r", "") },
	} {
		for _, canary := range canaries {
			if len(strings.TrimSpace(canary)) < 8 && name == "inner base64" {
				continue // only a small part of the encoded text is fixed
			}
			if got := leaks.Find(show(canary), []string{canary}); len(got) != 1 {
				t.Errorf("%s: %d sightings of %q", name, len(got), canary)
			}
		}
	}
	if got := leaks.Find("nothing of it ********", canaries); len(got) != 0 {
		t.Errorf("found in a text without canaries: %v", got)
	}
}
