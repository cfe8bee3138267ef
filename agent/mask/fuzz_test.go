package mask

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// spellings returns a value as other programs write it. The test uses the libraries of these programs.
func spellings(value string) map[string]string {
	inJSON, _ := json.Marshal(value)                           // cannot fail: every string can be encoded
	twice, _ := json.Marshal(string(inJSON))                   // cannot fail
	inYAML, _ := yaml.Marshal(map[string]string{"key": value}) // cannot fail
	return map[string]string{
		"unchanged":       value,
		"JSON":            string(inJSON),
		"JSON in JSON":    string(twice),
		"Go's quotes":     strconv.Quote(value),
		"query of a URL":  url.QueryEscape(value),
		"path of a URL":   url.PathEscape(value),
		"YAML":            strings.TrimSuffix(string(inYAML), "\n"),
		"base64":          base64.StdEncoding.EncodeToString([]byte(value)),
		"base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte(value)),
		"hex":             hex.EncodeToString([]byte(value)),
	}
}

// FuzzMask checks that a mask hides a secret in every spelling and between any texts, also if the text is written in two pieces. It also
// checks that masking twice is the same as masking once.
func FuzzMask(f *testing.F) {
	f.Add("hunter2", "password=", "\n", uint(3))
	f.Add("correct horse battery staple", `{"a":"`, `"}`, uint(0))
	f.Add("it's: a \"secret\" <&>", "", "", uint(9))
	f.Add("-----BEGIN KEY-----\nMC4CAQAw\nBQYDK2Vw\n-----END KEY-----", "  key: |\n", "", uint(20))
	f.Add("smile \U0001F600 \u00a0", "a: ", "", uint(1))
	f.Add("\xff\xfe\xfd\xff\xfe\xfd", "", "", uint(0))
	f.Add("correct-horse\xff", "", "", uint(0))
	f.Add(`{"auths": {"x.io": {"password": "correct-horse"}}}`, "x", "y", uint(30))
	f.Add("postgres://ada:correct-horse@db/shop", "", "", uint(2))
	f.Fuzz(func(t *testing.T, value, before, after string, cut uint) {
		if value != strings.TrimSpace(value) || !isMaskedAnywhere(value) || len(value) > maxHexLength || strings.ContainsAny(value+before+after, "*") {
			return // short values and common words are hidden only next to their key, and stars in the text look like masked secrets
		}
		var m Mask
		m.Add(value)
		for spelling, spelled := range spellings(value) {
			text := before + spelled + after
			masked := m.String(text)
			if strings.Contains(masked, spelled) {
				t.Errorf("%q is not hidden as %s: %q", value, spelling, masked)
			}
			if again := m.String(masked); again != masked {
				t.Errorf("masked twice, %q becomes %q", masked, again)
			}
			if got := inPieces(&m, text, int(cut%uint(len(text)))); strings.Contains(got, spelled) {
				t.Errorf("%q is not hidden as %s when it is written in two pieces: %q", value, spelling, got)
			}
		}
	})
}

func inPieces(m *Mask, text string, cut int) string {
	var out strings.Builder
	w := m.Writer(&out)
	for _, piece := range []string{text[:cut], text[cut:]} {
		if _, err := w.Write([]byte(piece)); err != nil {
			return text // cannot happen: a strings.Builder returns no errors
		}
	}
	if err := w.Flush(); err != nil {
		return text
	}
	return out.String()
}

// FuzzAdd checks that no value from a repository or a cluster makes the mask panic.
func FuzzAdd(f *testing.F) {
	for _, value := range []string{"", "a: b", `{"a":[{"b":1e400}]}`, "[[[[", "https://%zz@", "YWRhOmNvcnJlY3QtaG9yc2U=", "key = \n= value", "\\n\\n+- ", strings.Repeat("W1s=", 50)} {
		f.Add("key", value, value)
	}
	f.Fuzz(func(t *testing.T, key, value, text string) {
		var m Mask
		m.AddDocument([]byte(value))
		m.AddNamed(key, value)
		masked := m.String(text)
		if trimmed := strings.TrimSpace(value); isMaskedAnywhere(trimmed) && !strings.Contains(trimmed, "*") && strings.Contains(masked, trimmed) {
			t.Errorf("%q is not hidden in %q", value, masked)
		}
	})
}
