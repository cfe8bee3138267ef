// Package leaks finds secrets in texts, in all encodings in which a program may show them.
package leaks

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Find returns the encodings of secrets that occur in a text, each with its secret. It does not use the agent's mask.
func Find(text string, secrets []string) []string {
	words := strings.Fields(strings.ReplaceAll(text, `\n`, "\n"))
	folded, broken := strings.Join(words, " "), strings.Join(words, "")
	var seen []string
	for _, secret := range secrets {
		for name, form := range formsOf(secret) {
			if strings.Contains(text, form) || strings.Contains(folded, form) || strings.Contains(broken, form) {
				seen = append(seen, fmt.Sprintf("%s of %.40q: %.60q", name, secret, form))
				break
			}
		}
	}
	slices.Sort(seen)
	return seen
}

// formsOf returns the encodings of a secret in a text.
func formsOf(secret string) map[string]string {
	trimmed := strings.TrimSpace(secret)
	forms := map[string]string{
		"text":       trimmed,
		"query":      url.QueryEscape(trimmed),
		"path":       url.PathEscape(trimmed),
		"Go quotes":  inner(strconv.Quote(trimmed)),
		"HTML JSON":  inner(marshalled(trimmed)),
		"JSON twice": inner(marshalled(inner(marshalled(trimmed)))),
		"hex":        fmt.Sprintf("%x", trimmed),
	}
	var plain strings.Builder
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(trimmed) // a string
	forms["JSON"] = inner(strings.TrimSpace(plain.String()))
	for shift := range 3 {
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.StdEncoding, "base64 for URLs": base64.URLEncoding} {
			encoded := encoding.EncodeToString([]byte("xx"[:shift] + trimmed))
			from := 0
			if shift > 0 {
				from = 4
			}
			if form := encoded[from : len(encoded)-4]; len(form) >= 8 || shift == 0 {
				forms[fmt.Sprint(name, " at ", shift)] = form
			}
		}
	}
	if strings.Contains(trimmed, "\n") {
		for i, line := range strings.Split(trimmed, "\n") {
			if line = strings.TrimSpace(line); len(line) >= 10 && !strings.HasPrefix(line, "-----") {
				forms[fmt.Sprint("line ", i)] = line
			}
		}
	}
	for name, form := range forms {
		if len(form) < 4 {
			delete(forms, name)
		}
	}
	return forms
}

func marshalled(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err) // never: every string can be
	}
	return string(out)
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }
