package mask

import (
	"fmt"
	"strings"
	"testing"
)

// TestAMaskSaysWhenItIsFull: up to the limit everything is masked; beyond it, Err says that secrets are missing.
func TestAMaskSaysWhenItIsFull(t *testing.T) {
	for name, fill := range map[string]func(*Mask){
		"of bytes": func(m *Mask) { m.size = maxBytes - 200 },
		"of texts": func(m *Mask) { m.texts = maxTexts - 5 },
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
				t.Errorf("what was learned before is shown: %s", got)
			}
			if m.size > maxBytes || m.texts > maxTexts {
				t.Errorf("holds %d bytes, %d texts", m.size, m.texts)
			}
		})
	}
}

// TestAMaskHoldsAThousandCertificates is what its limits are made for.
func TestAMaskHoldsAThousandCertificates(t *testing.T) {
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
		t.Errorf("%v: %d texts, %d bytes", err, m.texts, m.size)
	}
	if got := m.String("a " + line(999, 79)); got != "a "+stars {
		t.Error(got)
	}
}
