package mask

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// forms are the spellings of a value within texts, itself among them.
func forms(value string) []string {
	all := []string{value}
	add := func(form string) {
		if form != value {
			all = append(all, form)
		}
	}
	add(url.QueryEscape(value))
	add(url.PathEscape(value))
	add(strings.TrimPrefix(url.UserPassword("", value).String(), ":"))
	if plain(value) {
		return all
	}
	once := escaped(value, false)
	for _, form := range []string{once, escaped(value, true), goQuoted(value), strings.Trim(strconv.QuoteToASCII(value), `"`)} {
		add(form)
		add(escaped(form, false)) // a text with quotes, quoted in a log
	}
	add(strings.ReplaceAll(value, "'", "''"))
	add(strings.ReplaceAll(strings.ReplaceAll(goQuoted(value), `\"`, `"`), "'", `\'`)) // as JSON schemas quote
	add(inYAML(value))
	return all
}

// plain values look the same in all quotes.
func plain(value string) bool {
	for i := range len(value) {
		switch c := value[i]; {
		case c < ' ', c > '~', c == '"', c == '\'', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
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

func goQuoted(value string) string {
	quoted := strconv.Quote(value)
	return quoted[1 : len(quoted)-1]
}

// inYAML is what YAML puts between quotes.
func inYAML(value string) string {
	encoded, err := yaml.Marshal(value)
	text := strings.TrimSpace(string(encoded))
	if err != nil || len(text) < 2 || text[0] != '"' && text[0] != '\'' {
		return value
	}
	return text[1 : len(text)-1]
}

const (
	hexLimit  = 1 << 10 // bytes of a value from which nobody prints it as hex
	yamlLimit = 10      // bytes of a value from which YAML's errors cut it
	yamlShows = 7       // bytes that they show
)

// encodings are what a value is turned into, and what errors leave of it. In base64 it is recognized also within something
// longer, such as user:password: of each of the three ways in which it can lie there, what depends on nothing else.
func encodings(value string) []string {
	var all []string
	for _, content := range []string{value, value + "\n"} {
		all = append(all, base64.StdEncoding.EncodeToString([]byte(content)))
	}
	if len(value) < long {
		return append(all, base64.RawStdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)))
	}
	all = append(all, withinBase64(value)...)
	if !plain(value) { // a JSON document in base64
		all = append(append(all, withinBase64(escaped(value, false))...), withinBase64(escaped(value, true))...)
	}
	if len(value) <= hexLimit {
		all = append(all, hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value))))
	}
	if len(value) > yamlLimit {
		all = append(all, "`"+value[:yamlShows]+"...`")
	}
	return all
}

// withinBase64 is what base64 of something longer always has of a value.
func withinBase64(value string) []string {
	var all []string
	for shift := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := encoding.EncodeToString([]byte("\x00\x00"[:shift] + value))
			all = append(all, encoded[(8*shift+5)/6:8*(shift+len(value))/6])
		}
	}
	return all
}

// part is a secret within a secret.
type part struct {
	key, value string
	whole      bool // a line, masked as it stands
}

// parts are what is secret by itself within a value: the lines of a text, the leaves of a JSON document, the password of a
// URL, and what base64 hides.
func parts(key, value string) []part {
	var all []part
	switch {
	case strings.Contains(value, "\n"):
		for line := range strings.Lines(value) {
			all = append(all, ofLine(strings.TrimSpace(line))...)
		}
		all = append(all, ofJSON(key, value)...)
	case strings.Contains(value, "://"):
		all = ofURL(value)
	default:
		all = append(ofJSON(key, value), ofBase64(key, value)...)
	}
	return all
}

var assignment = regexp.MustCompile(`^(?:- |export )?["']?([\w./-]+)["']?\s*[:=]\s*(.*)$`)

// ofLine is the line itself, unless there is no secret in it: a key without a value, a heading, an ordinary value.
func ofLine(line string) []part {
	if m := assignment.FindStringSubmatch(line); m != nil {
		value := strings.Trim(m[2], `"',`)
		all := []part{{key: m[1], value: value}}
		if secretAnywhere(value) {
			all = append(all, part{value: line, whole: true})
		}
		return all
	}
	if !secretAnywhere(line) || strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
		return nil
	}
	return []part{{value: line, whole: true}}
}

func ofJSON(key, value string) []part {
	if !strings.HasPrefix(value, "{") && !strings.HasPrefix(value, "[") {
		return nil
	}
	var document any
	if err := json.Unmarshal([]byte(value), &document); err != nil {
		return nil
	}
	var all []part
	eachLeaf(key, document, func(key, value string) { all = append(all, part{key: key, value: value}) })
	return all
}

func ofURL(value string) []part {
	u, err := url.Parse(value)
	if err != nil || u.User == nil {
		return nil
	}
	password, both := u.User.Password()
	if !both {
		password = u.User.Username() // a token
	}
	return []part{{key: u.User.Username(), value: password}}
}

const leastHidden = 12 // characters of base64: fewer may be a word

// ofBase64 is what a value stands for, and the password in it if it is that of an HTTP header or a registry.
func ofBase64(key, value string) []part {
	decoded, err := base64.StdEncoding.DecodeString(value)
	if err != nil || len(value) < leastHidden || !utf8.Valid(decoded) {
		return nil
	}
	text := string(decoded)
	all := []part{{key: key, value: text}}
	if user, password, ok := strings.Cut(text, ":"); ok && !strings.ContainsAny(text, " \n") {
		all = append(all, part{key: user, value: password})
	}
	return all
}
