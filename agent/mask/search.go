package mask

import (
	"cmp"
	"slices"
	"strings"
)

// span is a part of a text: from the first byte to the one after the last.
type span struct{ from, to int }

// index finds where known texts may begin. It is looked at once for every byte of a text, however many secrets there are:
// most bytes end at the filter.
type index struct {
	width   int // bytes by which a text is found; no text in the index is shorter
	filter  [1 << filterBits / 64]uint64
	lengths map[uint64][]int // of the texts that begin with these bytes, longest first
}

const filterBits = 18

func (x *index) add(text string) {
	head := headOf(text[:x.width])
	at, n := slices.BinarySearchFunc(x.lengths[head], len(text), func(a, b int) int { return cmp.Compare(b, a) })
	if n {
		return
	}
	if x.lengths == nil {
		x.lengths = map[uint64][]int{}
	}
	x.lengths[head] = slices.Insert(x.lengths[head], at, len(text))
	bit := filterBit(head)
	x.filter[bit/64] |= 1 << (bit % 64)
}

func headOf(bytes string) (head uint64) {
	for i := range len(bytes) {
		head = head<<8 | uint64(bytes[i])
	}
	return head
}

// filterBit spreads heads by the golden ratio.
func filterBit(head uint64) uint64 { return head * 0x9E3779B97F4A7C15 >> (64 - filterBits) }

// each calls found with every place where a known text may stand, and its length.
func (x *index) each(text string, found func(at, length int)) {
	if len(x.lengths) == 0 || len(text) < x.width {
		return
	}
	mask := uint64(1)<<(8*x.width) - 1
	head := headOf(text[:x.width-1])
	for end := x.width - 1; end < len(text); end++ {
		head = (head<<8 | uint64(text[end])) & mask
		bit := filterBit(head)
		if x.filter[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		at := end - x.width + 1
		for _, length := range x.lengths[head] {
			if at+length <= len(text) {
				found(at, length)
			}
		}
	}
}

// find is where secrets stand in a text, also those that are folded over lines, in order and apart from each other.
func (m *Mask) find(text string) []span {
	spans := m.findIn(text)
	if folds(text) {
		for _, glue := range []string{" ", ""} {
			view := unfold(text, glue)
			for _, s := range m.findIn(view.text) {
				spans = append(spans, view.origin(s))
			}
		}
	}
	return united(spans)
}

func (m *Mask) findIn(text string) []span {
	var spans []span
	look := func(at, length int) {
		if m.secret(text, at, at+length) {
			spans = append(spans, span{at, at + length})
		}
	}
	m.long.each(text, look)
	m.short.each(text, look)
	return spans
}

// secret says whether a part of a text is one.
func (m *Mask) secret(text string, from, to int) bool {
	p := m.known[text[from:to]]
	if p == nil {
		return false
	}
	return p.anywhere && !m.spare[text[from:to]] || behindKey(text, from, to, p.under)
}

// united joins what overlaps: of two secrets that share a part, none leaves its rest behind.
func united(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	var all []span
	for _, s := range spans {
		if last := len(all) - 1; last >= 0 && s.from < all[last].to {
			all[last].to = max(all[last].to, s.to)
			continue
		}
		all = append(all, s)
	}
	return all
}

func replace(text string, spans []span) string {
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
