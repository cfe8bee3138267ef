package mask

import (
	"slices"
	"strings"
	"unicode"
)

// A secret value of at least minAnywhere bytes is masked everywhere. A shorter one, down to minLength bytes, is masked only next to its
// key, because short values are frequent in ordinary text.
const (
	minAnywhere = 6
	minLength   = 3
)

// commonWords are masked only next to their key, even if they are long enough to be masked everywhere.
var commonWords = map[string]bool{}

func init() {
	for _, word := range strings.Fields(`
		default localhost 127.0.0.1 0.0.0.0 kubernetes cluster.local svc.cluster.local
		password passwd secret secrets username database postgres postgresql mariadb mongodb rabbitmq
		production staging development testing disabled enabled warning trace
		config values string number object release namespace
		Opaque ClusterIP LoadBalancer Always IfNotPresent Deployment ConfigMap Service Secret
		application/json text/plain https:// http://`) {
		commonWords[strings.ToLower(word)] = true
	}
}

// isMaskedAnywhere reports whether a secret value is masked everywhere, and not only next to its key.
func isMaskedAnywhere(value string) bool {
	return len(value) >= minAnywhere && !commonWords[strings.ToLower(value)] && strings.ContainsFunc(value, isWordRune)
}

func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r > unicode.MaxASCII
}

// isValueOfKey reports whether text[from:to] is the whole value of one of the keys. It knows how YAML, JSON, INI and Go print a key and
// its value.
func isValueOfKey(text string, from, to int, keys []string) bool {
	if len(keys) == 0 || wordContinues(text[to:]) {
		return false
	}
	before := strings.TrimRight(text[:from], `"'\ `+"`")
	if !strings.HasSuffix(before, ":") && !strings.HasSuffix(before, "=") {
		return false
	}
	before = strings.TrimRight(before[:len(before)-1], `"'\ `)
	return slices.ContainsFunc(keys, func(key string) bool {
		rest, ok := strings.CutSuffix(before, key)
		return ok && (rest == "" || !isWordByte(rest[len(rest)-1]))
	})
}

// wordContinues reports whether a word or a number goes on at the beginning of the text.
func wordContinues(text string) bool {
	text = strings.TrimPrefix(text, ".")
	return text != "" && isWordByte(text[0])
}

func isWordByte(c byte) bool {
	return c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}
