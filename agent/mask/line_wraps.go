package mask

import (
	"sort"
	"strings"
)

// unwrapped is a text whose lines were joined. YAML wraps long values at spaces, and other programs wrap base64 anywhere. Each line break,
// with the sign of a diff and the indentation after it, was replaced by a separator. A line break may be escaped, as in YAML inside JSON.
type unwrapped struct {
	text  string
	joins []lineJoin
}

// lineJoin says that from this byte of the unwrapped text on, the original text has so many more bytes.
type lineJoin struct{ at, removed int }

func unwrap(text, separator string) unwrapped {
	var b strings.Builder
	b.Grow(len(text))
	u := unwrapped{}
	for at := 0; at < len(text); {
		end, next := lineBreak(text, at)
		if end < 0 {
			b.WriteString(text[at:])
			break
		}
		b.WriteString(strings.TrimSuffix(strings.TrimRight(text[at:end], "\r\\"), `\r`))
		at = contentStart(text, next, separator)
		b.WriteString(separator)
		u.joins = append(u.joins, lineJoin{b.Len(), at - b.Len()})
	}
	u.text = b.String()
	return u
}

// hasLineBreak reports whether a text has a line break, escaped or not.
func hasLineBreak(text string) bool {
	end, _ := lineBreak(text, 0)
	return end >= 0
}

// lineBreak returns where the next line break begins and ends. Both are negative if there is none.
func lineBreak(text string, at int) (from, to int) {
	for at < len(text) {
		found := strings.IndexAny(text[at:], "\n\\")
		if found < 0 {
			break
		}
		switch at += found; {
		case text[at] == '\n':
			return at, at + 1
		case strings.HasPrefix(text[at:], `\n`):
			return at, at + 2
		}
		at++
	}
	return -1, -1
}

// contentStart returns where the content of a line begins, after the sign of a diff or of a YAML list and the indentation. Base64 may
// contain + and -, but no blank. So without a separator, a sign counts only if a blank follows it.
func contentStart(text string, at int, separator string) int {
	if separator != "" {
		return skip(text, at, "+- \t")
	}
	if afterSign := skip(text, at, "+-"); afterSign == at+1 && skip(text, afterSign, " \t") > afterSign {
		at = afterSign
	}
	return skip(text, at, " \t")
}

// skip returns the first place from at on that has none of the characters.
func skip(text string, at int, characters string) int {
	return len(text) - len(strings.TrimLeft(text[at:], characters))
}

// originalSpan converts a part of the unwrapped text to the part of the original text that it came from.
func (u unwrapped) originalSpan(s span) span {
	return span{s.from + u.removedBefore(s.from), s.to - 1 + u.removedBefore(s.to-1) + 1}
}

// removedBefore returns how many bytes were removed before this byte of the unwrapped text.
func (u unwrapped) removedBefore(at int) int {
	i := sort.Search(len(u.joins), func(i int) bool { return u.joins[i].at > at })
	if i == 0 {
		return 0
	}
	return u.joins[i-1].removed
}
