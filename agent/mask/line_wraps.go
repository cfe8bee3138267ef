package mask

import (
	"sort"
	"strings"
)

// unfolded is a text whose lines are one: line breaks, the sign of a diff and indentation have become a glue. YAML folds long
// values at spaces, others break base64 anywhere. Line breaks may be escaped: YAML within JSON.
type unfolded struct {
	text  string
	joins []join
}

// join says from where in the unfolded text on how many more bytes the original has.
type join struct{ at, more int }

func unfold(text, glue string) unfolded {
	var b strings.Builder
	b.Grow(len(text))
	u := unfolded{}
	for at := 0; at < len(text); {
		end, next := lineBreak(text, at)
		if end < 0 {
			b.WriteString(text[at:])
			break
		}
		b.WriteString(strings.TrimSuffix(strings.TrimRight(text[at:end], "\r\\"), `\r`))
		at = content(text, next, glue)
		b.WriteString(glue)
		u.joins = append(u.joins, join{b.Len(), at - b.Len()})
	}
	u.text = b.String()
	return u
}

// folds says whether a text has a line break, of either kind.
func folds(text string) bool {
	end, _ := lineBreak(text, 0)
	return end >= 0
}

// lineBreak is where the next one begins and ends; negative if there is none.
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

// content is where a line's content begins. A sign is one of a diff, or of a YAML list; base64 has such characters too, but
// nothing blank after them.
func content(text string, at int, glue string) int {
	if glue != "" {
		return skip(text, at, "+- \t")
	}
	if begun := skip(text, at, "+-"); begun == at+1 && skip(text, begun, " \t") > begun {
		at = begun
	}
	return skip(text, at, " \t")
}

func skip(text string, at int, characters string) int {
	return len(text) - len(strings.TrimLeft(text[at:], characters))
}

// origin is where a part of the unfolded text stands in the original.
func (u unfolded) origin(s span) span {
	return span{s.from + u.more(s.from), s.to - 1 + u.more(s.to-1) + 1}
}

func (u unfolded) more(at int) int {
	i := sort.Search(len(u.joins), func(i int) bool { return u.joins[i].at > at })
	if i == 0 {
		return 0
	}
	return u.joins[i-1].more
}
