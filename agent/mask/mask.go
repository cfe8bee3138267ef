package mask

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

const stars = "********"

// Mask replaces the secret values that were added to it by eight stars. The zero value is ready for use and masks nothing. It is safe for
// concurrent use.
type Mask struct {
	mu         sync.RWMutex
	added      map[string]bool     // each key and value that was added, so that each is processed once
	patterns   map[string]*pattern // by the text to find
	exempt     map[string]bool     // texts that are masked only next to their key
	longIndex  index               // of patterns of at least minAnywhere bytes
	shortIndex index
	texts      int  // the number of texts in patterns and added
	bytes      int  // the bytes of these texts
	full       bool // a text was left out, see Err
}

// These limits apply to all spellings together; a secret has about a dozen. They suffice for a thousand certificates with their keys, and
// need less memory than the chart grants the agent.
const (
	maxTexts = 1_000_000
	maxBytes = 128 << 20
)

// Err returns an error if the mask reached its limit and left out a secret. The mask does not hide that secret, so a caller that adds
// secrets must call Err before it uses them.
func (m *Mask) Err() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if !m.full {
		return nil
	}
	return fmt.Errorf("this run reads more secrets than the agent can mask (%d MiB or %d texts, in all encodings): declare fewer or smaller "+
		"Secrets, and in templates look up Secrets by their names instead of all in a namespace", maxBytes>>20, maxTexts)
}

// pattern says where a text is masked.
type pattern struct {
	anywhere bool
	keys     []string // the text is also masked next to these keys
}

// Add adds secret values. String then hides them, also if they are encoded or quoted. Short values and common words are not hidden.
func (m *Mask) Add(values ...string) {
	for _, value := range values {
		m.AddNamed("", value)
	}
}

// AddNamed adds the secret value of a key. Short values and common words are hidden only next to this key.
func (m *Mask) AddNamed(key, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(key, value)
}

// add adds all spellings of a value, and the secrets inside it.
func (m *Mask) add(key, value string) {
	value = strings.TrimSpace(value)
	id := key + "\x00" + value
	if len(value) < minLength || m.added[id] {
		return
	}
	if m.added == nil {
		m.added, m.patterns = map[string]bool{}, map[string]*pattern{}
		m.longIndex.width, m.shortIndex.width = minAnywhere, minLength
	}
	if !m.reserve(id) {
		return
	}
	m.added[id] = true
	for _, spelling := range escapedForms(value) {
		m.addPattern(key, spelling, spelling == value && !isMaskedAnywhere(value))
	}
	for _, spelling := range encodedForms(value) {
		m.addPattern(key, spelling, false)
	}
	if !utf8.ValidString(value) { // JSON and YAML replace only the invalid bytes, by U+FFFD
		m.add(key, string([]rune(value)))
	}
	for _, nested := range nestedSecrets(key, value) {
		m.addNested(nested)
	}
}

func (m *Mask) addNested(nested nestedSecret) {
	if !nested.wholeLine {
		m.add(nested.key, nested.value)
		return
	}
	for _, spelling := range escapedForms(nested.value) {
		m.addPattern("", spelling, false)
	}
}

// addPattern adds one text to find. If onlyNextToKey is true, the text is masked only next to the key.
func (m *Mask) addPattern(key, text string, onlyNextToKey bool) {
	if len(text) < minLength || onlyNextToKey && key == "" {
		return
	}
	p := m.patterns[text]
	if p == nil {
		if !m.reserve(text) {
			return
		}
		p = &pattern{}
		m.patterns[text] = p
		m.indexFor(text).add(text)
	}
	p.anywhere = p.anywhere || !onlyNextToKey && len(text) >= minAnywhere
	if key != "" {
		p.keys = append(p.keys, key)
	}
	if hasLineBreak(text) {
		m.addPattern(key, strings.TrimLeft(unwrap(text, " ").text, "+- \t"), onlyNextToKey)
	}
}

// reserve counts one more text. It returns false if the mask is full.
func (m *Mask) reserve(text string) bool {
	if m.full || m.texts >= maxTexts || m.bytes+len(text) > maxBytes {
		m.full = true
		return false
	}
	m.texts++
	m.bytes += len(text)
	return true
}

func (m *Mask) indexFor(text string) *index {
	if len(text) < minAnywhere {
		return &m.shortIndex
	}
	return &m.longIndex
}

// Exempt keeps names readable, such as those of releases and namespaces. A secret with the same value is hidden only next to its key.
func (m *Mask) Exempt(names ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.exempt == nil {
		m.exempt = map[string]bool{}
	}
	for _, name := range names {
		m.exempt[name] = true
	}
}

// AddLeaves adds every string and number in a decoded YAML or JSON document.
func (m *Mask) AddLeaves(document any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	eachLeaf("", document, m.add)
}

// eachLeaf calls visit for every string and number in a decoded document. The key of an element of a list is that of the list.
func eachLeaf(key string, document any, visit func(key, value string)) {
	switch node := document.(type) {
	case string:
		visit(key, node)
	case float64: // templates print a large number with an exponent
		visit(key, strconv.FormatFloat(node, 'f', -1, 64))
		visit(key, strconv.FormatFloat(node, 'g', -1, 64))
	case json.Number:
		visit(key, node.String())
		if number, err := node.Float64(); err == nil {
			eachLeaf(key, number, visit)
		}
	case int, int64, uint64:
		visit(key, fmt.Sprint(node))
	case map[string]any:
		for name, child := range node {
			eachLeaf(name, child, visit)
		}
	case map[any]any: // some providers of vals return such maps
		for name, child := range node {
			eachLeaf(fmt.Sprint(name), child, visit)
		}
	case []any:
		for _, child := range node {
			eachLeaf(key, child, visit)
		}
	}
}

// String returns s with every known secret replaced by stars.
func (m *Mask) String(s string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.patterns) == 0 {
		return s
	}
	return replaceSpans(s, m.find(s))
}
