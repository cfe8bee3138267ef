package mask

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// escapedForms returns the value itself, and how it appears in URLs and inside the quotes of JSON, Go and YAML.
func escapedForms(value string) []string {
	forms := []string{value}
	add := func(form string) {
		if form != value {
			forms = append(forms, form)
		}
	}
	add(url.QueryEscape(value))
	add(url.PathEscape(value))
	add(strings.TrimPrefix(url.UserPassword("", value).String(), ":"))
	if isSameInQuotes(value) {
		return forms
	}
	for _, form := range []string{jsonEscaped(value, false), jsonEscaped(value, true), goEscaped(value), strings.Trim(strconv.QuoteToASCII(value), `"`)} {
		add(form)
		add(jsonEscaped(form, false)) // a quoted text inside a log in JSON
	}
	add(strings.ReplaceAll(value, "'", "''"))
	add(strings.ReplaceAll(strings.ReplaceAll(goEscaped(value), `\"`, `"`), "'", `\'`)) // as errors of JSON schemas quote
	add(yamlEscaped(value))
	return forms
}

// isSameInQuotes reports whether a value appears unchanged inside all kinds of quotes.
func isSameInQuotes(value string) bool {
	for i := range len(value) {
		switch c := value[i]; {
		case c < ' ', c > '~', c == '"', c == '\'', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}

// jsonEscaped returns the value as it appears inside a JSON string. If html is true, the characters <, > and & are escaped, too.
func jsonEscaped(value string, html bool) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(html)
	if err := encoder.Encode(value); err != nil {
		return value // cannot happen: every string can be encoded
	}
	return strings.TrimSuffix(text.String(), "\"\n")[len(`"`):]
}

func goEscaped(value string) string {
	quoted := strconv.Quote(value)
	return quoted[1 : len(quoted)-1]
}

// yamlEscaped returns the value as it appears inside the quotes that YAML needs for it, or the value if YAML needs none.
func yamlEscaped(value string) string {
	encoded, err := yaml.Marshal(value)
	text := strings.TrimSpace(string(encoded))
	if err != nil || len(text) < 2 || text[0] != '"' && text[0] != '\'' {
		return value
	}
	return text[1 : len(text)-1]
}

const (
	maxHexLength    = 1 << 10 // bytes; programs do not print longer values as hex
	yamlErrorLimit  = 10      // bytes; go-yaml's errors cut longer values
	yamlErrorPrefix = 7       // bytes of a value that remain after the cut
)

// encodedForms returns the value in base64 and hex, and what YAML's errors show of it. It also finds the value inside base64 of a longer
// text, such as user:password.
func encodedForms(value string) []string {
	var forms []string
	for _, content := range []string{value, value + "\n"} {
		forms = append(forms, base64.StdEncoding.EncodeToString([]byte(content)))
	}
	if len(value) < minAnywhere {
		return append(forms, base64.RawStdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)))
	}
	forms = append(forms, insideBase64(value)...)
	if !isSameInQuotes(value) { // for base64 of a JSON document
		forms = append(append(forms, insideBase64(jsonEscaped(value, false))...), insideBase64(jsonEscaped(value, true))...)
	}
	if len(value) <= maxHexLength {
		forms = append(forms, hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value))))
	}
	if len(value) > yamlErrorLimit {
		forms = append(forms, "`"+value[:yamlErrorPrefix]+"...`")
	}
	return forms
}

// insideBase64 returns what base64 of any text that contains the value contains. Base64 encodes three bytes at a time, so the value can
// begin at three offsets. The characters at both ends also depend on the text around the value, so they are left out.
func insideBase64(value string) []string {
	var forms []string
	for offset := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := encoding.EncodeToString([]byte("\x00\x00"[:offset] + value))
			forms = append(forms, encoded[(8*offset+5)/6:8*(offset+len(value))/6])
		}
	}
	return forms
}
