package sanitize

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestShortErrorNamesACause(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"an empty text":                  {"", ""},
		"several lines":                  {"\n clone x: no\nthe server said: bye", "clone x: no"},
		"a line that counts":             {"read configuration: 2 problems\n  a: b", "read configuration: 2 problems"},
		"an introduction without a list": {"the server says:", "the server says"},
		"one error by Helm":              {"1 error occurred:\n\t* timed out waiting for the condition\n\n", "timed out waiting for the condition"},
		"a wrapped error by Helm":        {"failed pre-install: 1 error occurred:\n\t* job migrate failed: BackoffLimitExceeded\n\n", "failed pre-install: job migrate failed: BackoffLimitExceeded"},
		"advice after a list":            {"failed pre-install: 1 error occurred:\n\t* timed out\n\n: raise --timeout", "failed pre-install: timed out: raise --timeout"},
		"several errors by Helm":         {"3 errors occurred:\n\t* a\n\t  more of a\n\t* b\n\t* c\n", "a and 2 more"},
		"schema violations": {"values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- at '/replicas': got string, want integer\n- at '/image': missing\n",
			"values don't meet the specifications of the schema(s) in the following chart(s): web: at '/replicas': got string, want integer and 1 more"},
		"missing rights": {"nothing was changed, because the agent may not:\n  create a (for shop/web)\n  create b (for shop/web)\ngrant it in a Role",
			"nothing was changed, because the agent may not: create a (for shop/web) and 1 more"},
		"advice with less indentation": {"it needs:\n  a\ntake it", "it needs: a"},
		"a list without indentation":   {"it needs:\na\ntake it", "it needs: a"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ShortError(c.text); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestShortErrorIsOneCleanLine(t *testing.T) {
	for range 2000 {
		if got := ShortError(randomError()); strings.ContainsAny(got, "\n\t\x1b") {
			t.Fatalf("%q", got)
		}
	}
}

func randomError() string {
	parts := []string{"a", ":\n\t* ", "…", "🚢", "\n", "\t", " ", "\xff", "\x1b"}
	var text strings.Builder
	for range rand.IntN(300) {
		text.WriteString(parts[rand.IntN(len(parts))])
	}
	return text.String()
}

func TestDetailsAreTheLinesThatTheSummaryLeavesOut(t *testing.T) {
	text := "may not:\n  create a\n  create b\ngrant it"
	if got, want := Details(text), "create b; grant it"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
