package mask

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

const stars = "********"

// Mask replaces known secrets in text. The zero value knows none. It is safe for concurrent use.
type Mask struct {
	mu    sync.RWMutex
	seen  map[string]bool     // values by the key they were found under, so that each is taken apart once
	known map[string]*pattern // by what stands in a text
	spare map[string]bool     // what is no secret, although a secret may have the same value
	long  index               // of patterns that are long
	short index
	texts int  // the number of texts in known and seen
	size  int  // their bytes
	full  bool // something was not learned, see Err
}

// The bounds of a Mask, which has each secret in about a dozen encodings. They are enough for a thousand certificates with keys, and
// need less memory than the chart gives the agent.
const (
	maxTexts = 1_000_000
	maxBytes = 128 << 20
)

// Err says that there were more secrets than a Mask holds. The mask would not hide the others, so a caller that adds secrets must check
// Err before it uses them.
func (m *Mask) Err() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if !m.full {
		return nil
	}
	return fmt.Errorf("this run reads more secrets than the agent can mask (%d MiB or %d texts, in all encodings): declare fewer or smaller "+
		"Secrets, and in templates look up Secrets by their names instead of all in a namespace", maxBytes>>20, maxTexts)
}

// pattern says where a known text is a secret.
type pattern struct {
	anywhere bool
	under    []string // the keys behind which it is one
}

// Add makes values known, plain and in the encodings they usually travel in. What is short or ordinary is not masked.
func (m *Mask) Add(values ...string) {
	for _, value := range values {
		m.AddNamed("", value)
	}
}

// AddNamed makes the value of a key known. What is short or ordinary is masked only where it stands behind its key.
func (m *Mask) AddNamed(key, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.learn(key, value)
}

func (m *Mask) learn(key, value string) {
	value = strings.TrimSpace(value)
	id := key + "\x00" + value
	if len(value) < shortest || m.seen[id] {
		return
	}
	if m.seen == nil {
		m.seen, m.known = map[string]bool{}, map[string]*pattern{}
		m.long.width, m.short.width = long, shortest
	}
	if !m.holds(id) {
		return
	}
	m.seen[id] = true
	for _, form := range forms(value) {
		m.add(key, form, form == value && !secretAnywhere(value))
	}
	for _, encoded := range encodings(value) {
		m.add(key, encoded, false)
	}
	if !utf8.ValidString(value) { // JSON and YAML show each byte that is no UTF-8 as U+FFFD, and the rest as it is
		m.learn(key, string([]rune(value)))
	}
	for _, part := range parts(key, value) {
		if part.whole { // a line as it stands
			for _, form := range forms(part.value) {
				m.add("", form, false)
			}
			continue
		}
		m.learn(part.key, part.value)
	}
}

// add makes one spelling known; one that is bound is a secret behind the key only.
func (m *Mask) add(key, form string, bound bool) {
	if len(form) < shortest || bound && key == "" {
		return
	}
	p := m.known[form]
	if p == nil {
		if !m.holds(form) {
			return
		}
		p = &pattern{}
		m.known[form] = p
		m.indexOf(form).add(form)
	}
	p.anywhere = p.anywhere || !bound && len(form) >= long
	if key != "" {
		p.under = append(p.under, key)
	}
	if folds(form) {
		m.add(key, strings.TrimLeft(unfold(form, " ").text, "+- \t"), bound)
	}
}

// holds says whether there is room for one more text.
func (m *Mask) holds(text string) bool {
	if m.full || m.texts >= maxTexts || m.size+len(text) > maxBytes {
		m.full = true
		return false
	}
	m.texts++
	m.size += len(text)
	return true
}

func (m *Mask) indexOf(form string) *index {
	if len(form) < long {
		return &m.short
	}
	return &m.long
}

// Spare names what texts are about: releases, namespaces. A secret of the same value is masked only behind its key.
func (m *Mask) Spare(names ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spare == nil {
		m.spare = map[string]bool{}
	}
	for _, name := range names {
		m.spare[name] = true
	}
}

// AddLeaves makes every string and number within a decoded document known.
func (m *Mask) AddLeaves(document any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.learnLeaves("", document)
}

func (m *Mask) learnLeaves(key string, document any) {
	eachLeaf(key, document, m.learn)
}

// eachLeaf calls take with every text and number, and with the key it stands under.
func eachLeaf(key string, document any, take func(key, value string)) {
	switch node := document.(type) {
	case string:
		take(key, node)
	case float64: // a large one is printed by templates with an exponent
		take(key, strconv.FormatFloat(node, 'f', -1, 64))
		take(key, strconv.FormatFloat(node, 'g', -1, 64))
	case int, int64, uint64:
		take(key, fmt.Sprint(node))
	case map[string]any:
		for name, child := range node {
			eachLeaf(name, child, take)
		}
	case map[any]any: // as some of vals's stores answer
		for name, child := range node {
			eachLeaf(fmt.Sprint(name), child, take)
		}
	case []any:
		for _, child := range node {
			eachLeaf(key, child, take)
		}
	}
}

// String is s with every known secret replaced by stars.
func (m *Mask) String(s string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.known) == 0 {
		return s
	}
	return replace(s, m.find(s))
}
