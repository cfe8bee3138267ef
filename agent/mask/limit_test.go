package mask

import (
	"fmt"
	"strings"
	"testing"
)

// TestErrWhenMaskIsFull checks that the mask hides everything up to its limit, and that Err reports a secret beyond it.
func TestErrWhenMaskIsFull(t *testing.T) {
	for name, fill := range map[string]func(*Mask){
		"bytes": func(m *Mask) { m.bytes = maxBytes - 200 },
		"texts": func(m *Mask) { m.texts = maxTexts - 5 },
	} {
		t.Run(name, func(t *testing.T) {
			var m Mask
			m.Add("correct-horse")
			fill(&m)
			if err := m.Err(); err != nil {
				t.Fatal(err)
			}
			m.AddObject(map[string]any{"kind": "Secret", "stringData": map[string]any{"a": "battery-staple-and-more"}})
			err := m.Err()
			if err == nil || !strings.Contains(err.Error(), "more secrets than the agent can mask (128 MiB or 1000000 texts") || strings.Contains(err.Error(), "battery") {
				t.Fatalf("got %v", err)
			}
			if got := m.String("correct-horse"); got != stars {
				t.Errorf("an earlier secret is not hidden: %s", got)
			}
			if m.bytes > maxBytes || m.texts > maxTexts {
				t.Errorf("the mask has %d bytes, %d texts", m.bytes, m.texts)
			}
		})
	}
}

// TestLimitsSufficeForThousandCertificates checks that the limits suffice for an unusually large cluster.
func TestLimitsSufficeForThousandCertificates(t *testing.T) {
	var m Mask
	line := func(secret, n int) string { return fmt.Sprintf("%08d%08d%s", secret, n, strings.Repeat("x", 48)) }
	for secret := range 1000 {
		var text strings.Builder
		for n := range 80 {
			text.WriteString(line(secret, n) + "\n")
		}
		m.AddNamed("tls.key", text.String())
	}
	if err := m.Err(); err != nil {
		t.Errorf("%v: %d texts, %d bytes", err, m.texts, m.bytes)
	}
	if got := m.String("a " + line(999, 79)); got != "a "+stars {
		t.Error(got)
	}
}
