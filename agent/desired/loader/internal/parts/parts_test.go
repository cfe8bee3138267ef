package parts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"an empty file":                    {"", []string{""}},
		"one part":                         {"a: 1\nb: 2\n", []string{"a: 1\nb: 2\n"}},
		"two parts":                        {"a: 1\n---\nb: 2\n", []string{"a: 1", "b: 2\n"}},
		"line breaks of Windows":           {"a: 1\r\n---\r\nb: 2\r\n", []string{"a: 1", "b: 2\n"}},
		"a separator in the first line":    {"---\na: 1\n", []string{"---\na: 1\n"}},
		"a separator with a comment":       {"a: 1\n--- # next\nb: 2\n", []string{"a: 1\n--- # next\nb: 2\n"}},
		"a separator that is more than it": {"a: 1\n----\nb: 2\n", []string{"a: 1\n----\nb: 2\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Split(test.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLinesOfParts checks that the first line of each part has the number that it has in the file.
func TestLinesOfParts(t *testing.T) {
	const file = "first: 1\nb: 2\n---\nfirst: 4\n---\n\nc: 3\n---\nfirst: 9\n"
	split := Split(file)
	for part, text := range split {
		first, _, _ := strings.Cut(text, "\n")
		line := 1 + LinesBefore(split, part)
		if got := strings.Split(file, "\n")[line-1]; got != first {
			t.Errorf("part %d begins with line %d, %q, and not with %q", part, line, got, first)
		}
	}
	for _, part := range []int{-1, len(split), 99} {
		if got := LinesBefore(split, part); got != 0 {
			t.Errorf("there is no part %d, but %d lines before it", part, got)
		}
	}
}

func TestLineAt(t *testing.T) {
	const text = "a\nbb\n\nd"
	for offset, want := range []int{1, 1, 2, 2, 2, 3, 4} {
		if got := LineAt(text, offset); got != want {
			t.Errorf("offset %d is in line %d, not in line %d", offset, got, want)
		}
	}
}
