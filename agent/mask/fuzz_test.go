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

// spellings are the ways in which other programs write a value. Each is made here by the library that they use.
func spellings(value string) map[string]string {
	inJSON, _ := json.Marshal(value)                           // every string can be encoded
	twice, _ := json.Marshal(string(inJSON))                   // so can this one
	inYAML, _ := yaml.Marshal(map[string]string{"key": value}) // and this
	return map[string]string{
		"as it is":           value,
		"in JSON":            string(inJSON),
		"in JSON, twice":     string(twice),
		"in Go's quotes":     strconv.Quote(value),
		"in a URL's query":   url.QueryEscape(value),
		"in a URL's path":    url.PathEscape(value),
		"in YAML":            strings.TrimSuffix(string(inYAML), "\n"),
		"in base64":          base64.StdEncoding.EncodeToString([]byte(value)),
		"in base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte(value)),
		"in hex":             hex.EncodeToString([]byte(value)),
	}
}

// FuzzMask states that a secret is hidden in every spelling and wherever it stands, also when the text is written in two
// pieces, and that masking twice is the same as masking once.
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
		if value != strings.TrimSpace(value) || !secretAnywhere(value) || len(value) > hexLimit || strings.ContainsAny(value+before+after, "*") {
			return // what is short or ordinary is masked behind its key only, and stars look like what hides them
		}
		var m Mask
		m.Add(value)
		for how, spelled := range spellings(value) {
			text := before + spelled + after
			masked := m.String(text)
			if strings.Contains(masked, spelled) {
				t.Errorf("%q stays %s: %q", value, how, masked)
			}
			if again := m.String(masked); again != masked {
				t.Errorf("masked twice, %q becomes %q", masked, again)
			}
			if got := inPieces(&m, text, int(cut%uint(len(text)))); strings.Contains(got, spelled) {
				t.Errorf("%q stays %s when it is written in two pieces: %q", value, how, got)
			}
		}
	})
}

func inPieces(m *Mask, text string, cut int) string {
	var out strings.Builder
	w := m.Writer(&out)
	for _, piece := range []string{text[:cut], text[cut:]} {
		if _, err := w.Write([]byte(piece)); err != nil {
			return text // a strings.Builder gives no error
		}
	}
	if err := w.Flush(); err != nil {
		return text
	}
	return out.String()
}

// FuzzMaskLearns states that nothing that a repository or a cluster may hold makes the mask panic while it takes a value apart.
func FuzzMaskLearns(f *testing.F) {
	for _, value := range []string{"", "a: b", `{"a":[{"b":1e400}]}`, "[[[[", "https://%zz@", "YWRhOmNvcnJlY3QtaG9yc2U=", "key = \n= value", "\\n\\n+- ", strings.Repeat("W1s=", 50)} {
		f.Add("key", value, value)
	}
	f.Fuzz(func(t *testing.T, key, value, text string) {
		var m Mask
		m.AddDocument([]byte(value))
		m.AddNamed(key, value)
		masked := m.String(text)
		if long := strings.TrimSpace(value); secretAnywhere(long) && !strings.Contains(long, "*") && strings.Contains(masked, long) {
			t.Errorf("%q stays in %q", value, masked)
		}
	})
}
