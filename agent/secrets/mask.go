package secrets

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// shortest is the length in bytes from which a value is masked. Shorter ones ("true", "1", "admin") occur in ordinary text
// so often that masking them would hide more than it protects.
const shortest = 6

const stars = "********"

// Mask replaces known secrets in text. The zero value knows none. It is safe for concurrent use.
type Mask struct {
	mu       sync.RWMutex
	known    map[string]bool
	replacer *strings.Replacer
}

// Add makes the values known, plain and in the encodings they usually travel in.
func (m *Mask) Add(values ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, value := range values {
		for _, form := range forms(value) {
			if len(form) < shortest || m.known[form] {
				continue
			}
			if m.known == nil {
				m.known = map[string]bool{}
			}
			m.known[form] = true
			m.replacer = nil
		}
	}
}

// AddLeaves makes every string and number within a decoded document known.
func (m *Mask) AddLeaves(document any) {
	switch node := document.(type) {
	case string:
		m.Add(node)
	case float64: // a large one is printed by templates with an exponent
		m.Add(strconv.FormatFloat(node, 'f', -1, 64), strconv.FormatFloat(node, 'g', -1, 64))
	case int, int64, uint64:
		m.Add(fmt.Sprint(node))
	case map[string]any:
		for _, child := range node {
			m.AddLeaves(child)
		}
	case map[any]any: // as some of vals's stores answer
		for _, child := range node {
			m.AddLeaves(child)
		}
	case []any:
		for _, child := range node {
			m.AddLeaves(child)
		}
	}
}

func forms(value string) []string {
	trimmed := strings.TrimSpace(value)
	all := []string{
		base64.StdEncoding.EncodeToString([]byte(value)),
		base64.StdEncoding.EncodeToString([]byte(trimmed)),
		url.QueryEscape(trimmed),
		url.PathEscape(trimmed),
	}
	texts := []string{trimmed}
	for line := range strings.Lines(trimmed) { // text that indents a value keeps no more of it than its lines
		texts = append(texts, strings.TrimSpace(line))
	}
	for _, text := range texts {
		all = append(all, text, escaped(text, false), escaped(text, true))
	}
	return all
}

// escaped is the value as it stands within a JSON string; html says whether <, > and & are escaped too.
func escaped(value string, html bool) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(html)
	if err := encoder.Encode(value); err != nil {
		return value // never: every string can be encoded
	}
	return strings.TrimSuffix(text.String(), "\"\n")[len(`"`):]
}

// String is s with every known secret replaced by stars.
func (m *Mask) String(s string) string {
	return m.replace().Replace(s)
}

// replace is the current replacer; longer secrets come first, so that one within another does not leave its rest behind.
func (m *Mask) replace() *strings.Replacer {
	m.mu.RLock()
	replacer := m.replacer
	m.mu.RUnlock()
	if replacer != nil {
		return replacer
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.replacer == nil {
		m.replacer = newReplacer(m.known)
	}
	return m.replacer
}

func newReplacer(known map[string]bool) *strings.Replacer {
	values := make([]string, 0, len(known))
	for value := range known {
		values = append(values, value)
	}
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(values))
	for _, value := range values {
		pairs = append(pairs, value, stars)
	}
	return strings.NewReplacer(pairs...)
}

// Writer masks what is written through it to w. A secret must not be split over two writes.
func (m *Mask) Writer(w io.Writer) io.Writer { return maskedWriter{m, w} }

type maskedWriter struct {
	mask *Mask
	w    io.Writer
}

func (m maskedWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(m.w, m.mask.String(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
