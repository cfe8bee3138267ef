package mask

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// nestedSecret is a secret inside a secret value.
type nestedSecret struct {
	key, value string
	wholeLine  bool // the value is a line of a text and is masked as it is
}

// nestedSecrets returns the parts of a value that are secrets, too: the lines of a text, the leaves of a JSON document, the password in a
// URL, and the content of base64.
func nestedSecrets(key, value string) []nestedSecret {
	nested := secretsInJSON(key, value)
	if strings.Contains(value, "\n") {
		for line := range strings.Lines(value) {
			nested = append(nested, secretsInLine(strings.TrimSpace(line))...)
		}
		return nested
	}
	return append(append(nested, passwordInURL(value)...), secretsInBase64(key, value)...)
}

var assignment = regexp.MustCompile(`^(?:- |export )?["']?([\w./-]+)["']?\s*[:=]\s*(.*)$`)

// secretsInLine returns the value that a line assigns to a key, the password of a line that is a URL, and the line itself. It leaves out
// lines that contain no secret: a key without a value, a heading in brackets, a common word.
func secretsInLine(line string) []nestedSecret {
	nested := passwordInURL(line)
	if m := assignment.FindStringSubmatch(line); m != nil {
		value := strings.Trim(m[2], `"',`)
		nested = append(nested, nestedSecret{key: m[1], value: value})
		if isMaskedAnywhere(value) {
			nested = append(nested, nestedSecret{value: line, wholeLine: true})
		}
		return nested
	}
	if !isMaskedAnywhere(line) || strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
		return nested
	}
	return append(nested, nestedSecret{value: line, wholeLine: true})
}

func secretsInJSON(key, value string) []nestedSecret {
	if !strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "[") {
		return nil
	}
	var document any
	decoder := json.NewDecoder(strings.NewReader(value))
	decoder.UseNumber() // a float64 has not all digits of a long number
	if err := decoder.Decode(&document); err != nil {
		return nil
	}
	var nested []nestedSecret
	eachLeaf(key, document, func(key, value string) { nested = append(nested, nestedSecret{key: key, value: value}) })
	return nested
}

// passwordInURL returns the password in a URL. If the URL has only a user name, that is a token.
func passwordInURL(value string) []nestedSecret {
	if !strings.Contains(value, "://") {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.User == nil {
		return nil
	}
	password, hasPassword := u.User.Password()
	if !hasPassword {
		password = u.User.Username()
	}
	return []nestedSecret{{key: u.User.Username(), value: password}}
}

const minBase64Length = 12 // characters; a shorter text in base64 may be a word

// secretsInBase64 returns the decoded value. If that is user:password, as in an HTTP header and in a registry login, it also returns the
// password.
func secretsInBase64(key, value string) []nestedSecret {
	decoded, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(value) < minBase64Length || !utf8.Valid(decoded) {
		return nil
	}
	text := string(decoded)
	nested := []nestedSecret{{key: key, value: text}}
	if user, password, ok := strings.Cut(text, ":"); ok && !strings.ContainsAny(text, " \n") {
		nested = append(nested, nestedSecret{key: user, value: password})
	}
	return nested
}
