package mask

import (
	"cmp"
	"slices"
	"strings"
)

// span is a part of a text, in bytes: from the first byte to the one after the last.
type span struct{ from, to int }

// index finds where known texts may begin. Its cost for each byte of the searched text does not depend on the number of known texts,
// because the filter rejects most bytes.
type index struct {
	width   int // the length of a prefix in bytes; no known text is shorter
	filter  [1 << filterBits / 64]uint64
	lengths map[uint64][]int // the lengths of the known texts with this prefix, longest first
}

const filterBits = 18

func (x *index) add(text string) {
	prefix := prefixOf(text[:x.width])
	at, found := slices.BinarySearchFunc(x.lengths[prefix], len(text), func(a, b int) int { return cmp.Compare(b, a) })
	if found {
		return
	}
	if x.lengths == nil {
		x.lengths = map[uint64][]int{}
	}
	x.lengths[prefix] = slices.Insert(x.lengths[prefix], at, len(text))
	bit := filterBit(prefix)
	x.filter[bit/64] |= 1 << (bit % 64)
}

// prefixOf packs up to eight bytes into a number.
func prefixOf(bytes string) (prefix uint64) {
	for i := range len(bytes) {
		prefix = prefix<<8 | uint64(bytes[i])
	}
	return prefix
}

// filterBit hashes a prefix by multiplication with the golden ratio (Fibonacci hashing).
func filterBit(prefix uint64) uint64 { return prefix * 0x9E3779B97F4A7C15 >> (64 - filterBits) }

// eachCandidate calls visit for every place where a known text may begin, with the length of that text.
func (x *index) eachCandidate(text string, visit func(at, length int)) {
	if len(x.lengths) == 0 || len(text) < x.width {
		return
	}
	widthMask := uint64(1)<<(8*x.width) - 1
	prefix := prefixOf(text[:x.width-1])
	for end := x.width - 1; end < len(text); end++ {
		prefix = (prefix<<8 | uint64(text[end])) & widthMask
		bit := filterBit(prefix)
		if x.filter[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		at := end - x.width + 1
		for _, length := range x.lengths[prefix] {
			if at+length <= len(text) {
				visit(at, length)
			}
		}
	}
}

// find returns the parts of a text that are secret, in order and without overlaps. It also finds secrets that are wrapped over several
// lines.
func (m *Mask) find(text string) []span {
	spans := m.findUnwrapped(text)
	if hasLineBreak(text) {
		for _, separator := range []string{" ", ""} {
			joined := unwrap(text, separator)
			for _, s := range m.findUnwrapped(joined.text) {
				spans = append(spans, joined.originalSpan(s))
			}
		}
	}
	return mergeSpans(spans)
}

func (m *Mask) findUnwrapped(text string) []span {
	var spans []span
	visit := func(at, length int) {
		if m.isSecret(text, at, at+length) {
			spans = append(spans, span{at, at + length})
		}
	}
	m.longIndex.eachCandidate(text, visit)
	m.shortIndex.eachCandidate(text, visit)
	return spans
}

// isSecret reports whether a part of a text must be masked.
func (m *Mask) isSecret(text string, from, to int) bool {
	p := m.patterns[text[from:to]]
	if p == nil {
		return false
	}
	return p.anywhere && !m.exempt[text[from:to]] || isValueOfKey(text, from, to, p.keys)
}

// mergeSpans sorts spans and joins those that overlap. So nothing is left over of two secrets that share a part.
func mergeSpans(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	var merged []span
	for _, s := range spans {
		if last := len(merged) - 1; last >= 0 && s.from < merged[last].to {
			merged[last].to = max(merged[last].to, s.to)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

func replaceSpans(text string, spans []span) string {
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.from])
		b.WriteString(stars)
		at = s.to
	}
	b.WriteString(text[at:])
	return b.String()
}
